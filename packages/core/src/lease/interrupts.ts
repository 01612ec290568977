import type { LeaseholdError } from '../errors/leasehold-error.js'
import { StatementAbortedError, type StatementAbortReason } from '../errors/statement-aborted-error.js'
import { channels } from '../events/channels.js'
import { callSafely } from '../pool/call-safely.js'
import type { Connections } from '../pool/connections.js'
import { HungSessions } from './hung-sessions.js'
import { Lending } from './lending.js'

/** Ends statements before their time: those of scopes that have aborted, and those that run for too long. */
export class Interrupts<Client> {
  readonly #connections: Connections<Client>
  readonly #poolId: number
  readonly #hung: HungSessions<Client>

  constructor(connections: Connections<Client>, poolId: number) {
    this.#connections = connections
    this.#poolId = poolId
    this.#hung = new HungSessions(connections)
  }

  /** The holder of `lending` has aborted: what runs on it is cancelled, and no more is sent but a rollback. */
  abort(lending: Lending<Client>, why: StatementAbortReason, cause: unknown, cancels: boolean | undefined): void {
    const { options, driver } = this.#connections
    if (!(cancels ?? options.cancelOnAbort) || driver.interrupt === undefined || !lending.open) return
    const error = this.#error(lending, why, cause)
    if (options.observe) {
      if (!lending.connection.ledger.isQuiet) this.#wouldInterrupt(lending, error)
      return
    }
    lending.refusal = error
    this.fail(lending, lending, error)
    this.#hung.aborted(lending)
  }

  /** Cancels what has run for longer than `queryTimeoutMs`. Returns when the next will have. */
  watch(now: number): number {
    const { options, all, driver } = this.#connections
    const { queryTimeoutMs } = options
    let next = Number.POSITIVE_INFINITY
    if (queryTimeoutMs === Infinity || driver.interrupt === undefined) return next
    for (const { state, ledger } of all) {
      if (state.at !== 'lent' || !(state.to instanceof Lending) || ledger.isQuiet || ledger.sentAt === undefined)
        continue
      const lending = state.to as Lending<Client>
      const dueAt = ledger.sentAt + queryTimeoutMs
      if (dueAt > now) {
        next = Math.min(next, dueAt)
        continue
      }
      const error = this.#error(lending, 'query-timeout', undefined)
      // Once: one that cannot be interrupted now, as a cursor between two reads, has its time anew when it is sent more.
      ledger.sentAt = undefined
      if (options.observe) this.#wouldInterrupt(lending, error)
      else this.fail(lending, undefined, error)
    }
    return next
  }

  /**
   * Fails what runs for `gate`, or whatever runs, and cancels it. Where the driver fails to, its connection is closed: that ends
   * the statement as well.
   */
  fail(lending: Lending<Client>, gate: Lending<Client> | undefined, error: LeaseholdError): void {
    const { driver } = this.#connections
    const { connection } = lending
    callSafely(
      () => {
        const isCancelling: unknown = driver.interrupt?.(connection.client, gate, error)
        if (isCancelling === true) this.#hung.cancelled(connection)
        return isCancelling
      },
      (failure) => lending.discard(failure),
    )
  }

  #error(lending: Lending<Client>, why: StatementAbortReason, cause: unknown): StatementAbortedError {
    const { options } = this.#connections
    const { label, connection } = lending
    const inTransaction = connection.ledger.transaction !== 'idle'
    const { name: pool, queryTimeoutMs } = options
    return new StatementAbortedError({ pool, why, label, inTransaction, queryTimeoutMs, cause })
  }

  #wouldInterrupt({ label }: Lending<Client>, error: StatementAbortedError): void {
    if (!channels.observe.hasSubscribers) return
    const pool = this.#connections.options.name
    channels.observe.publish({ pool, poolId: this.#poolId, would: 'interrupt', why: error.message, label })
  }
}
