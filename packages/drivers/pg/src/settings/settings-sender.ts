import { SettingsFailedError, type SettingsDifference } from '@leasehold/core'
import type * as pg from 'pg'
import { refusalOf } from '../session/refusal-of.js'
import type { StatementSettings, Turn } from '../session/statement-turns.js'
import { readCached } from '../sql/read-cached.js'
import type { TransactionControl } from '../sql/statement-reading.js'
import { textOf } from '../sql/text-of.js'
import { isFatal } from '../wire/is-fatal.js'
import type { PgConnection } from '../wire/pg-connection.js'
import { unwatchedMethods } from '../wire/watched-connection.js'
import type { WireWatch } from '../wire/wire-watch.js'
import { type Behind, isPooled } from './behind.js'
import { carriesAnother } from './carries-another.js'
import { PreparedSettings, type PreparedStatement } from './prepared-settings.js'
import { SettingsAhead } from './settings-ahead.js'
import { NOT_THE_PROCESS, settingsStatement } from './settings-statement.js'

export interface SettingsSenderParts {
  readonly client: pg.Client
  readonly connection: PgConnection
  readonly wire: WireWatch
  readonly behind: Behind | undefined
  /** The session carries what the difference says. */
  readonly made: (difference: SettingsDifference) => void
}

/** What was sent up to one ReadyForQuery to make a difference. */
interface Sending {
  readonly difference: SettingsDifference
  /** The statement, if the server keeps it or is to. */
  readonly prepared: PreparedStatement | undefined
  /** Whether the answers to it are to be kept from pg, and have not all come. */
  isAnswering: boolean
  hasFailed: boolean
  /** Something else has been declared meanwhile: if it fails, it need not be sent again. */
  isOutdated: boolean
}

const NO_DIFFERENCE: SettingsDifference = { set: [], clear: [], keep: [] }

/**
 * Makes the settings that the owner of a session declares: in one group with the first statement that can carry them, so
 * that they cost no round trip, and otherwise ahead of it. In a group the server runs the statement only if the settings
 * were made, and undoes them if the statement fails; so they count as made when the group has ended well, and go again
 * with the next statement when it has not.
 *
 * The group's head goes past `WireWatch`, and its answers past pg: nobody but the server need know of it. Behind a pooler
 * the settings end with each transaction, and are made in each.
 */
export class SettingsSender implements StatementSettings {
  readonly #parts: SettingsSenderParts
  readonly #isPooled: boolean
  readonly #prepared: PreparedSettings
  /** The connection leads to the process that it was opened with, or nobody wants to know. */
  #isProven: boolean
  #wanted: SettingsDifference = NO_DIFFERENCE
  /** What is still to be made; behind a pooler, always what is wanted. */
  #due: SettingsDifference | undefined
  /** To go out in front of the next statement that pg sends. */
  #head: SettingsDifference | undefined
  #sending: Sending | undefined
  /** The statement that waits for its settings to be made ahead of it. */
  #starting: Turn | undefined
  /** Behind a pooler: they have been made in the transaction that is open. */
  #isMadeInTransaction = false

  constructor(parts: SettingsSenderParts) {
    this.#parts = parts
    this.#isPooled = isPooled(parts.behind)
    this.#prepared = new PreparedSettings(parts.connection)
    this.#isProven = parts.behind !== undefined
    this.#interceptSends()
    this.#interceptAnswers()
  }

  get isDue(): boolean {
    if (this.#due === undefined) return false
    return !this.#isPooled || !this.#isMadeInTransaction
  }

  declare(difference: SettingsDifference): void {
    this.#wanted = difference
    this.#due = difference.set.length + difference.clear.length > 0 ? difference : undefined
    this.#head = undefined
    this.#isMadeInTransaction = false
    if (this.#sending !== undefined) this.#sending.isOutdated = true
  }

  start(turn: Turn): void {
    const { client, wire } = this.#parts
    const difference = this.#due
    this.#head = undefined
    if (difference === undefined) return turn.start()
    if (client.pipeline) {
      return turn.refuse(failure(difference, 'the client is in pipeline mode', 'Open the pool without `pipeline`'))
    }
    const control = controlOf(turn.statement)
    if (wire.transaction !== 'idle' && (control === 'commit' || control === 'rollback')) return turn.start()
    if (this.#isPooled) return this.#startPooled(turn, difference, control)
    if (wire.transaction !== 'idle') {
      const why = 'a transaction is open, and what is set in it would end with its rollback'
      return turn.refuse(failure(difference, why, 'Declare settings before the transaction begins'))
    }
    const isInTime = !isForNextTransaction(difference)
    if (isInTime && carriesAnother(turn.statement, turn.values)) this.#startBehind(difference, turn)
    else this.#startAfter(difference, turn)
  }

  forgo(turn: Turn): boolean {
    if (this.#starting !== turn) return false
    this.#starting = undefined
    return true
  }

  #startPooled(turn: Turn, difference: SettingsDifference, control: TransactionControl['is'] | undefined): void {
    const { wire } = this.#parts
    if (wire.transaction === 'failed') return turn.start()
    if (isForNextTransaction(difference)) {
      const why = `behind ${this.#parts.behind} they last for one transaction, and would count from the next`
      return turn.refuse(failure(difference, why, 'Say it when a transaction begins'))
    }
    if (carriesAnother(turn.statement, turn.values)) return this.#startBehind(difference, turn)
    if (wire.transaction === 'open') return this.#startAfter(difference, turn)
    // Its first statement is going to carry them.
    if (control === 'begin') return turn.start()
    const why = `behind ${this.#parts.behind} they last for one transaction, and this statement cannot carry them by itself`
    turn.refuse(failure(difference, why, 'Run it inside a transaction'))
  }

  /** In one group with the statement. */
  #startBehind(difference: SettingsDifference, turn: Turn): void {
    this.#head = difference
    turn.start()
  }

  /** In a round trip of their own. */
  #startAfter(difference: SettingsDifference, turn: Turn): void {
    const { client } = this.#parts
    this.#starting = turn
    const ahead = new SettingsAhead({
      submit: (connection) => {
        this.#atOnce(() => {
          this.#send(difference, false)
          // Counted, unlike what it ends: the line is busy until the server is ready again.
          connection.sync()
        })
      },
      failed: (error) => this.#taken()?.refuse(error),
      ready: () => {
        const waiting = this.#taken()
        const refusal = waiting === undefined ? undefined : refusalOf(waiting.gate, 'query')
        if (refusal === undefined) waiting?.start()
        else waiting?.refuse(refusal)
      },
    })
    client.query(ahead as unknown as pg.Submittable)
  }

  #taken(): Turn | undefined {
    const turn = this.#starting
    this.#starting = undefined
    return turn
  }

  /** Has what is sent leave in one packet. */
  #atOnce(send: () => void): void {
    const { stream } = this.#parts.connection
    stream.cork()
    try {
      send()
    } finally {
      stream.uncork()
    }
  }

  /** Sends what makes the difference. */
  #send(difference: SettingsDifference, isAnswering: boolean): void {
    const { connection, client } = this.#parts
    const bare = unwatchedMethods(connection)
    const { processID } = client as { readonly processID?: number | null }
    const processId = this.#isProven ? undefined : (processID ?? undefined)
    const { text, values } = settingsStatement(difference, { isLocal: this.#isPooled, processId })
    // Not where the statements of one lease may reach different sessions.
    const isOneSession = this.#isProven && !this.#isPooled
    const prepared = isOneSession ? this.#prepared.statement(text, values.length / 2) : undefined
    if (prepared === undefined || !this.#prepared.isKept(prepared)) bare.parse.call(connection, prepared ?? { text })
    bare.bind.call(connection, prepared === undefined ? { values } : { statement: prepared.name, values })
    bare.execute.call(connection, {})
    this.#due = this.#isPooled ? this.#due : undefined
    this.#sending = { difference, prepared, isAnswering, hasFailed: false, isOutdated: false }
  }

  #interceptSends(): void {
    const { connection } = this.#parts
    for (const name of ['query', 'parse', 'bind'] as const) {
      const send = connection[name]
      connection[name] = (message, more) => {
        const head = this.#head
        if (head === undefined) return send.call(connection, message, more)
        this.#head = undefined
        this.#atOnce(() => {
          this.#send(head, true)
          if (name === 'query') this.#promote(message)
          else send.call(connection, message, more)
        })
      }
    }
  }

  /** A simple Query cannot stand in a group: sent like this, its answer is the same. */
  #promote(text: unknown): void {
    const { connection } = this.#parts
    connection.parse({ text })
    connection.bind({})
    connection.describe({ type: 'P' })
    connection.execute({})
    connection.sync()
  }

  #interceptAnswers(): void {
    const { connection } = this.#parts
    const emit = connection.emit
    connection.emit = (event: string | symbol, ...values: unknown[]) => {
      if (this.#sending === undefined && event !== 'readyForQuery') return emit.call(connection, event, ...values)
      const shown = this.#show(event, values[0])
      return shown === KEPT || emit.call(connection, event, ...(shown === undefined ? values : [shown]))
    }
  }

  /** What is shown of an answer in place of it: nothing at all, something else, or undefined for itself. */
  #show(event: string | symbol, message: unknown): unknown {
    const sending = this.#sending
    if (event === 'readyForQuery') this.#ready(sending, (message as { readonly status?: string }).status)
    if (sending === undefined) return undefined
    if (event === 'errorMessage') return this.#failed(sending, message as Error)
    if (event === 'parseComplete' && sending.prepared !== undefined) this.#prepared.keep(sending.prepared)
    if (!sending.isAnswering || !OWN_ANSWERS.has(event)) return undefined
    if (event === 'commandComplete') sending.isAnswering = false
    return KEPT
  }

  #failed(sending: Sending, error: Error & { readonly severity?: string; readonly code?: string }): unknown {
    const isOurs = sending.isAnswering || this.#starting !== undefined
    sending.hasFailed = true
    sending.isAnswering = false
    if (sending.prepared !== undefined) this.#prepared.failed(sending.prepared, error.code)
    return isOurs && !isFatal(error) ? this.#explain(sending.difference, error) : undefined
  }

  #explain(difference: SettingsDifference, cause: Error): SettingsFailedError {
    if (this.#isProven || !cause.message.includes(NOT_THE_PROCESS)) {
      return failure(difference, 'the server refused', 'Look at the cause', cause)
    }
    const why =
      'a proxy stands before the server, and it is not known whether a session is one for longer than a statement'
    const remedy = "Say what it is: leasehold: { behind: 'pgbouncer' }, or 'nothing' if it pools whole sessions"
    return failure(difference, why, remedy)
  }

  #ready(sending: Sending | undefined, status: string | undefined): void {
    if (status === 'I') this.#isMadeInTransaction = false
    this.#sending = undefined
    if (sending === undefined) return
    if (sending.hasFailed) {
      if (!sending.isOutdated) this.#due = this.#wanted
      return
    }
    this.#isProven = true
    if (!this.#isPooled) this.#parts.made(sending.difference)
    else if (status === 'T' && !sending.isOutdated) this.#isMadeInTransaction = true
  }
}

/** That an answer is shown to nobody. */
const KEPT = Symbol('kept from pg')

const OWN_ANSWERS: ReadonlySet<string | symbol> = new Set([
  'parseComplete',
  'bindComplete',
  'dataRow',
  'commandComplete',
])

function failure({ set, clear }: SettingsDifference, why: string, remedy: string, cause?: Error): SettingsFailedError {
  return new SettingsFailedError({ settings: [...set.map(([name]) => name), ...clear], why, remedy, cause })
}

/** Whether any of it counts only from the next transaction on, and the group that makes it is one. */
function isForNextTransaction({ set, clear }: SettingsDifference): boolean {
  return [...set.map(([name]) => name), ...clear].some((name) => name.startsWith('default_transaction_'))
}

/** What a statement that stands alone does to the transaction. */
function controlOf(statement: unknown): TransactionControl['is'] | undefined {
  const text = textOf(statement)
  const statements = text === undefined ? [] : readCached(text).statements
  return statements.length === 1 ? statements[0]?.control?.is : undefined
}
