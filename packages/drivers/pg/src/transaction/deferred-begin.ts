import type { EffectOrigin, LeaseGate } from '@leasehold/core'
import type * as pg from 'pg'
import { readCached } from '../sql/read-cached.js'
import type { TransactionControl } from '../sql/statement-reading.js'
import { textOf } from '../sql/text-of.js'
import type { PgConnection } from '../wire/pg-connection.js'
import { type AheadMessage, KEPT, keepBack, sendAhead, type StatementAhead } from '../wire/watched-connection.js'
import { resultOf } from './result-of.js'

type State =
  | { readonly is: 'none' }
  /** The first statement of this owner is to take it along. */
  | { readonly is: 'due'; readonly text: string; readonly owner: object }
  | { readonly is: 'sent'; readonly text: string; readonly owner: object }
  /** The server has run it, and has not said yet what the transaction is now. */
  | { readonly is: 'begun'; readonly text: string; readonly owner: object }

export interface DeferredBeginParts {
  readonly client: pg.Client
  /** Undefined where nothing can be seen of the wire: then each BEGIN goes by itself. */
  readonly connection: PgConnection | undefined
  /** Whether nothing runs or waits on the session, and nothing else is to go ahead of its next statement. */
  readonly isFree: () => boolean
  /** A transaction is open for its owner, though the server has not been told; or, without `origin`, is so no more. */
  readonly opened: (origin: EffectOrigin | undefined) => void
}

const NONE: State = { is: 'none' }

/**
 * The BEGIN of a transaction that is begun by a method and not by a text: by `pool.transaction`, or by an ORM. Nobody waits
 * for its answer, so that it goes out with the first statement, in one group: if it fails, the server does not run that, and
 * what comes next takes it along again. It spares a round trip of five in a transaction of three statements; drivers of
 * other languages (pgjdbc, Npgsql) do the same.
 *
 * A BEGIN that somebody wrote is sent as it was written, when it was.
 */
export class DeferredBegin implements StatementAhead {
  readonly #parts: DeferredBeginParts
  #state: State = NONE

  constructor(parts: DeferredBeginParts) {
    this.#parts = parts
  }

  /** Whether the next statement that is sent for `gate` must take it along, or come after it. */
  isDueFor(gate: LeaseGate): boolean {
    return this.#state.is === 'due' && this.#state.owner === gate.owner
  }

  /** Whether a transaction is open for `gate` of which the server's last "ready" did not know. */
  isOpenFor(gate: LeaseGate): boolean {
    return this.#state.is !== 'none' && this.#state.owner === gate.owner
  }

  /** Whether a statement that has waited ends what was never begun: then it goes as it is, and the server does nothing. */
  isEndedBy(statement: unknown): boolean {
    const text = textOf(statement)
    const is = text === undefined ? undefined : controlOf(text)?.is
    return is === 'commit' || is === 'rollback'
  }

  /** Lets `text` wait for the first statement of `gate`; false when it has to be sent by itself. */
  defer(gate: LeaseGate, text: string): boolean {
    const { connection, client, isFree, opened } = this.#parts
    // In a pipeline statements go out without waiting for one another.
    if (connection === undefined || client.pipeline || !isFree()) return false
    this.#state = { is: 'due', text, owner: gate.owner }
    opened({ statement: text, site: undefined, isRepeatable: false, isOfBaseline: false })
    return true
  }

  /**
   * The answer to a statement that need not be sent now, if that is so: the BEGIN of an ORM, and the end of a transaction of
   * which the server has never heard.
   */
  answer(gate: LeaseGate, statement: unknown): pg.QueryResult | undefined {
    const isDue = this.isDueFor(gate)
    if (!isDue && gate.opensTransaction !== true) return undefined
    const text = textOf(statement)
    const control = text === undefined ? undefined : controlOf(text)
    if (text === undefined || control === undefined) return undefined
    if (!isDue) return control.is === 'begin' && this.defer(gate, text) ? resultOf('BEGIN') : undefined
    if ((control.is !== 'commit' && control.is !== 'rollback') || control.chain || !this.#parts.isFree())
      return undefined
    this.forget()
    return resultOf(control.is === 'commit' ? 'COMMIT' : 'ROLLBACK')
  }

  /** It goes out in front of the next statement that pg sends, which must be able to stand in a group. */
  goWithNext(): void {
    const { connection } = this.#parts
    if (connection !== undefined) sendAhead(connection, this)
  }

  /** Sends it by itself. `done` is told how that went, before anything else is sent. */
  goAlone(done: (error: Error | undefined) => void): void {
    if (this.#state.is !== 'due') return done(undefined)
    const { text, owner } = this.#state
    this.#drop()
    this.#parts.client.query(text, [], (error?: Error | null) => {
      if (error) this.#state = { is: 'due', text, owner }
      done(error ?? undefined)
    })
  }

  /** Its transaction is over before it began. */
  forget(): void {
    if (this.#state.is !== 'due') return
    this.#drop()
    this.#parts.opened(undefined)
  }

  #drop(): void {
    const { connection } = this.#parts
    this.#state = NONE
    if (connection !== undefined) keepBack(connection, this)
  }

  goes(): AheadMessage {
    if (this.#state.is !== 'due') throw new Error('bug in Leasehold: a BEGIN went out that was not due')
    this.#state = { ...this.#state, is: 'sent' }
    return { text: this.#state.text }
  }

  receives(event: string | symbol): typeof KEPT | undefined {
    if (this.#state.is !== 'sent') return undefined
    switch (event) {
      case 'parseComplete':
      case 'bindComplete':
        return KEPT
      case 'commandComplete':
        this.#state = { ...this.#state, is: 'begun' }
        return KEPT
      case 'errorMessage':
        this.#state = { ...this.#state, is: 'due' }
        return undefined
      default:
        return undefined
    }
  }

  /** The server has said what the transaction is now. */
  ready(): void {
    if (this.#state.is === 'begun') this.#state = NONE
  }
}

/** What a text does to the transaction, if it is one statement. */
function controlOf(text: string): TransactionControl | undefined {
  const { isPlain, statements } = readCached(text)
  return isPlain || statements.length !== 1 ? undefined : statements[0]?.control
}
