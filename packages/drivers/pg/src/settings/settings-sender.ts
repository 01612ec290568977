import { SettingsFailedError, type SettingsDifference } from '@leasehold/core'
import type * as pg from 'pg'
import { refusalOf } from '../session/refusal-of.js'
import type { StatementSettings, Turn } from '../session/statement-turns.js'
import { readCached } from '../sql/read-cached.js'
import type { TransactionControl } from '../sql/statement-reading.js'
import { textOf } from '../sql/text-of.js'
import { isFatal } from '../wire/is-fatal.js'
import type { PgConnection } from '../wire/pg-connection.js'
import {
  type AheadMessage,
  goAhead,
  inOnePacket,
  KEPT,
  keepBack,
  sendAhead,
  type StatementAhead,
} from '../wire/watched-connection.js'
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
 * What goes in front passes `WireWatch` by, and its answers pg: nobody but the server need know of it. Behind a pooler the
 * settings end with each transaction, and are made in each.
 */
export class SettingsSender implements StatementSettings, StatementAhead {
  readonly #parts: SettingsSenderParts
  readonly #isPooled: boolean
  readonly #prepared: PreparedSettings
  /** The connection leads to the process that it was opened with, or nobody wants to know. */
  #isProven: boolean
  #wanted: SettingsDifference = NO_DIFFERENCE
  /** What is still to be made; behind a pooler, always what is wanted. */
  #due: SettingsDifference | undefined
  /** What is to go out next. */
  #head: { readonly difference: SettingsDifference; readonly isAnswering: boolean } | undefined
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
  }

  get isDue(): boolean {
    if (this.#due === undefined) return false
    return !this.#isPooled || !this.#isMadeInTransaction || this.#parts.wire.transaction === 'idle'
  }

  declare(difference: SettingsDifference): void {
    this.#wanted = difference
    this.#due = difference.set.length + difference.clear.length > 0 ? difference : undefined
    this.#keepBack()
    this.#isMadeInTransaction = false
    if (this.#sending !== undefined) this.#sending.isOutdated = true
  }

  start(turn: Turn): void {
    const { client, wire } = this.#parts
    const difference = this.#due
    this.#keepBack()
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
    // The one in which they were made has ended.
    if (wire.transaction === 'idle') this.#isMadeInTransaction = false
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
    this.#head = { difference, isAnswering: true }
    sendAhead(this.#parts.connection, this)
    turn.start()
  }

  /** In a round trip of their own. */
  #startAfter(difference: SettingsDifference, turn: Turn): void {
    const { client } = this.#parts
    this.#starting = turn
    const ahead = new SettingsAhead({
      submit: (connection) => {
        this.#head = { difference, isAnswering: false }
        inOnePacket(connection, () => {
          goAhead(connection, this)
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

  #keepBack(): void {
    if (this.#head === undefined) return
    this.#head = undefined
    keepBack(this.#parts.connection, this)
  }

  goes(): AheadMessage {
    if (this.#head === undefined) throw new Error('bug in Leasehold: settings went out that nobody wanted')
    const { difference, isAnswering } = this.#head
    this.#head = undefined
    const { processID } = this.#parts.client as { readonly processID?: number | null }
    const processId = this.#isProven ? undefined : (processID ?? undefined)
    const { text, values } = settingsStatement(difference, { isLocal: this.#isPooled, processId })
    // Not where the statements of one lease may reach different sessions.
    const isOneSession = this.#isProven && !this.#isPooled
    const prepared = isOneSession ? this.#prepared.statement(text, values.length / 2) : undefined
    this.#due = this.#isPooled ? this.#due : undefined
    this.#sending = { difference, prepared, isAnswering, hasFailed: false, isOutdated: false }
    return prepared === undefined
      ? { text, values }
      : { text, values, name: prepared.name, isKept: this.#prepared.isKept(prepared) }
  }

  receives(event: string | symbol, message: unknown): unknown {
    const sending = this.#sending
    if (sending === undefined) return undefined
    switch (event) {
      case 'readyForQuery':
        this.#answered(sending, (message as { readonly status?: string }).status)
        return undefined
      case 'errorMessage':
        return this.#failed(sending, message as Error)
      case 'parseComplete':
        if (sending.prepared !== undefined) this.#prepared.keep(sending.prepared)
        break
      case 'commandComplete':
        if (!sending.isAnswering) return undefined
        sending.isAnswering = false
        return KEPT
      case 'bindComplete':
      case 'dataRow':
        break
      default:
        return undefined
    }
    return sending.isAnswering ? KEPT : undefined
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

  #answered(sending: Sending, status: string | undefined): void {
    this.#sending = undefined
    if (sending.hasFailed) {
      if (!sending.isOutdated) this.#due = this.#wanted
      return
    }
    this.#isProven = true
    if (!this.#isPooled) this.#parts.made(sending.difference)
    else if (status === 'T' && !sending.isOutdated) this.#isMadeInTransaction = true
  }
}

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
