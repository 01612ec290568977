import { TransactionConflictError } from '../errors/transaction-conflict-error.js'
import { TurnTimeoutError } from '../errors/turn-timeout-error.js'
import type { Lending } from '../lease/lending.js'
import type { Frame } from '../scope/frame.js'
import type { TimeLimit } from './time-limit.js'
import type { TransactionDesk } from './transaction-desk.js'

const REMEDY =
  'Await one transaction before the next, or run them in a scope of mode transaction, on connections of their own'

/**
 * Transactions that begin side by side in a scope of mode `session`, which has one session for all: one runs after the other.
 * On the server the second would be none, and what it did would be committed or undone with the first.
 */
export class SessionLine<Client> {
  readonly #desk: TransactionDesk<Client>
  /** When the last that came will have ended. */
  readonly #last = new WeakMap<Lending<Client>, Promise<void>>()

  constructor(desk: TransactionDesk<Client>) {
    this.#desk = desk
  }

  /**
   * Waits until `base` may begin a transaction on the session that it shares, if it shares one. It has its turn until it ends.
   *
   * @param outer what the transaction is opened in: one that is open there on the same session would wait for it for ever.
   * @throws {TurnTimeoutError} when its turn does not come in time.
   * @throws {TransactionConflictError} when it is opened inside another one of that session, and when somebody has begun one
   * there by a statement, and not ended it.
   * @throws {TransactionEndedError} when the limit is over.
   * @throws {LeaseReleasedError} when the session has ended meanwhile.
   */
  async enter(base: Lending<Client>, limit: TimeLimit<Client>, outer?: Frame): Promise<void> {
    const { base: shared } = base
    if (shared === undefined || this.#desk.leases.observe) return
    const before = this.#last.get(shared)
    const end = new Promise<void>((resolve) => base.onEnd(resolve))
    this.#last.set(shared, before === undefined ? end : before.then(() => end))
    try {
      if (isInside(outer, base)) throw this.#conflict(base)
      if (before !== undefined) await this.#waitFor(before, base, limit)
      // The session may have been lost with the one before.
      base.pass('transaction')
      const { ledger } = base.connection
      // A COMMIT that failed is told before the server says that the transaction is over.
      if (ledger.isSettling) await limit.whileItLasts(new Promise<void>((resolve) => ledger.onQuiet(resolve)))
      if (ledger.transaction !== 'idle') throw this.#conflict(base)
    } catch (error) {
      base.release()
      throw error
    }
  }

  async #waitFor(before: Promise<void>, { label, site }: Lending<Client>, limit: TimeLimit<Client>): Promise<void> {
    const { clock, wake, acquireTimeoutMs, leases } = this.#desk
    let forget = (): void => {}
    const tooLate = new Promise<never>((_resolve, reject) => {
      forget = wake(clock.now() + acquireTimeoutMs, () => {
        const holder = { label, site }
        const doing = 'runs another one on the session that they share'
        const facts = { pool: leases.pool, label, waitedMs: acquireTimeoutMs, holder, doing, remedy: REMEDY }
        reject(new TurnTimeoutError(facts))
      })
    })
    try {
      await limit.whileItLasts(Promise.race([before, tooLate]))
    } finally {
      forget()
    }
  }

  #conflict({ label }: Lending<Client>): TransactionConflictError {
    return new TransactionConflictError({
      pool: this.#desk.leases.pool,
      label,
      what: `a transaction was to begin on the one session of ${label}, in mode session, where another one is open`,
      remedy: REMEDY,
    })
  }
}

function isInside(outer: Frame | undefined, { connection }: Lending<unknown>): boolean {
  for (let frame = outer; frame !== undefined; frame = frame.outer) {
    if (frame.isTransaction && frame.holds?.open === true && frame.holds.connection === connection) return true
  }
  return false
}
