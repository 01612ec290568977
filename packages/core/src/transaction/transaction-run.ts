import { TransactionEndedError } from '../errors/transaction-ended-error.js'
import { Lease } from '../lease/lease.js'
import type { Lending } from '../lease/lending.js'
import type { DriverTransactions } from '../ports/transactions.js'
import { currentContext } from '../scope/context.js'
import { performWork, type TransactionWork } from './perform-work.js'
import { shareSession } from './share-session.js'
import { Transaction, type WholeTransaction } from './transaction.js'
import { transactionConflicts } from './transaction-conflicts.js'
import type { TransactionParts } from './transaction-parts.js'
import { openWhole } from './open-whole.js'

type Outcome<R> =
  | { readonly is: 'done'; readonly result: Awaited<R> }
  | { readonly is: 'failed'; readonly error: unknown }
  /** It is being rolled back, and nobody waits for that. */
  | { readonly is: 'left'; readonly error: unknown }

const FIRST_BACKOFF_MS = 10
const MOST_BACKOFF_MS = 1_000

/** One call of `pool.transaction` on a connection of its own. */
export class TransactionRun<Client> {
  readonly #parts: TransactionParts<Client>

  constructor(parts: TransactionParts<Client>) {
    this.#parts = parts
  }

  /** Begins a transaction; once more, from the beginning, as often as it may be retried. */
  async begin<R>(work: TransactionWork<Client, R>): Promise<Awaited<R>> {
    const { limit, options } = this.#parts
    const retries = options.retries ?? 0
    try {
      for (let attempt = 0; ; attempt += 1) {
        const base = await this.#acquire()
        // From here on the scope's end is this transaction's as well; what waits for a connection is sent away by itself.
        limit.watch(base.label)
        try {
          if (base.base !== undefined) await this.#parts.line.enter(base, limit)
          const whole = await openWhole(this.#parts, base, this.#parts.apart)
          const transaction = this.#transaction(base.label, whole)
          const outcome = await this.#attempt(transaction, whole, work)
          if (outcome.is === 'done') {
            limit.ignore()
            if (transaction.hasHooks) await transaction.runHooks()
            return outcome.result
          }
          if (outcome.is === 'left') throw outcome.error
          // Why the work failed matters more than that a hook did.
          await transaction.runHooks().catch(() => {})
          if (attempt >= retries || !whole.mayRetry) throw outcome.error
          await this.#pause(attempt, outcome.error)
        } finally {
          limit.ignore()
        }
      }
    } finally {
      limit.letGo()
    }
  }

  /** Runs without a transaction. */
  async without<R>(work: TransactionWork<Client, R>): Promise<Awaited<R>> {
    const { limit } = this.#parts
    const lending = await this.#acquire()
    const lease = new Lease(lending)
    const transaction = this.#transaction(lending.label, undefined, lending)
    limit.watch(lending.label)
    let result: Awaited<R>
    try {
      result = await performWork(limit, transaction, lease.client, work)
      transaction.settle('committed')
    } catch (error) {
      transaction.settle('rolled back')
      if (limit.over === undefined) await transaction.runHooks().catch(() => {})
      throw error
    } finally {
      limit.letGo()
      lease.release()
    }
    await transaction.runHooks()
    return result
  }

  async #attempt<R>(
    transaction: Transaction<Client>,
    whole: WholeTransaction<Client>,
    work: TransactionWork<Client, R>,
  ): Promise<Outcome<R>> {
    const { desk, limit } = this.#parts
    try {
      const { client } = new Lease(shareSession(desk.leases, transaction, whole, whole.base.terms, true))
      const result = await performWork(limit, transaction, client, work)
      await this.#commit(transaction, whole)
      return { is: 'done', result }
    } catch (error) {
      if (transaction.state.is === 'ended') return { is: 'failed', error }
      const rolledBack = this.#rollBack(transaction, whole)
      try {
        await limit.whileItLasts(rolledBack)
        return { is: 'failed', error }
      } catch {
        // Nobody waits for it longer than the limit allows: it goes on, and its hooks come after it.
        void rolledBack.then(() => transaction.runHooks()).catch(() => {})
        return { is: 'left', error }
      }
    }
  }

  async #commit(transaction: Transaction<Client>, whole: WholeTransaction<Client>): Promise<void> {
    const { limit, port } = this.#parts
    transaction.close('its callback has ended')
    while (whole.undoing.size > 0) await limit.whileItLasts(Promise.all(whole.undoing))
    this.#refuseUncommittable(transaction, whole)
    const { base, client } = whole
    const { ledger } = base.connection
    if (!ledger.isQuiet && !ledger.isSettling && !(await limit.whileItLasts(this.#becomesQuiet(base)))) {
      throw transactionConflicts.stillRunning(transaction)
    }
    let became: 'committed' | 'rolled back'
    try {
      // A commit may take its time, with deferred constraints and standbys that must confirm it. Given up, it would be in
      // doubt: only a deadline is reason enough.
      became = await limit.answered(port.commit(client), Number.POSITIVE_INFINITY)
    } catch (error) {
      const unanswered = error instanceof TransactionEndedError ? limit.inDoubt(error) : undefined
      if (unanswered !== undefined) whole.discardBy ??= { reason: unanswered }
      // Answered by an error, it was rolled back; not answered, it may have come to either.
      const isAnswered = unanswered === undefined && ledger.lostBy === undefined
      transaction.settle(isAnswered ? 'rolled back' : 'in doubt')
      this.#giveBack(whole)
      throw unanswered ?? error
    }
    transaction.settle(became)
    this.#giveBack(whole)
    if (became === 'rolled back') throw transactionConflicts.failedInside(transaction, undefined)
  }

  #refuseUncommittable(transaction: Transaction<Client>, whole: WholeTransaction<Client>): void {
    const { limit } = this.#parts
    if (limit.over !== undefined) throw limit.over
    if (!whole.base.open) throw transaction.ended('commit')
    const { lostBy } = whole.base.connection.ledger
    if (lostBy !== undefined) throw lostBy
    const { state } = transaction
    if (state.is === 'rollback-only') throw transactionConflicts.failedInside(transaction, state.because)
  }

  async #rollBack(transaction: Transaction<Client>, whole: WholeTransaction<Client>): Promise<void> {
    const { desk, limit, port } = this.#parts
    whole.isRollingBack = true
    transaction.settle('rolled back')
    transaction.close('it was rolled back')
    const { base, client } = whole
    if (!base.open) return base.recycled
    const { ledger } = base.connection
    // What still runs is cancelled by the recycling, which also rolls back; not that of a session which goes on.
    if (!ledger.isQuiet && !ledger.isSettling && base.base === undefined && !desk.leases.observe) {
      // One whose scope aborted has been told by that already.
      if (limit.over !== undefined && base.refusal === undefined) desk.leases.fail(base, limit.over)
      this.#giveBack(whole)
      return base.recycled
    }
    try {
      await limit.answeredLate(port.rollback(client), desk.graceMs)
    } catch (error) {
      whole.discardBy ??= { reason: error }
    }
    this.#giveBack(whole)
  }

  #acquire(): Promise<Lending<Client>> {
    const { desk, limit, options } = this.#parts
    const leftMs = limit.at === Number.POSITIVE_INFINITY ? limit.at : Math.max(0, limit.at - desk.clock.now())
    const timeoutMs = Math.min(desk.acquireTimeoutMs, leftMs)
    return desk.acquire({ timeoutMs, settings: options.settings })
  }

  #transaction(
    label: string,
    whole: WholeTransaction<Client> | undefined,
    lending?: Lending<Client>,
  ): Transaction<Client> {
    const { leases, poolId } = this.#parts.desk
    const outer = currentContext()?.frame
    const facts = { pool: leases.pool, poolId, label, whole, parent: undefined, isSavepoint: false, outer }
    return new Transaction(lending === undefined ? facts : { ...facts, lending })
  }

  #giveBack(whole: WholeTransaction<Client>): void {
    const { base, client, discardBy } = whole
    // Asked while it is still known: the next owner may begin one at once.
    whole.mayRetry = mayRetry(this.#parts.port, client)
    if (discardBy === undefined) base.release()
    else base.discard(discardBy.reason)
  }

  /** Waits for a while, longer each time, and never as long as another one; throws `error` when there is no time for it. */
  async #pause(attempt: number, error: unknown): Promise<void> {
    const { desk, limit } = this.#parts
    const most = Math.min(MOST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** attempt)
    const until = desk.clock.now() + most * (0.5 + Math.random() / 2)
    if (until >= limit.at || limit.over !== undefined) throw error
    await limit.whileItLasts(new Promise<void>((resolve) => void desk.wake(until, resolve)))
  }

  /** Waits for what still runs, which nobody awaits; false when that takes too long. */
  #becomesQuiet({ connection: { ledger } }: Lending<Client>): Promise<boolean> {
    const { desk } = this.#parts
    return new Promise((resolve) => {
      const leave = desk.wake(desk.clock.now() + desk.graceMs, () => resolve(false))
      ledger.onQuiet(() => {
        leave()
        resolve(true)
      })
    })
  }
}

/** A driver that fails to tell must not keep the connection from being given back. */
function mayRetry<Client>(port: DriverTransactions<Client>, client: Client): boolean {
  try {
    return port.mayRetry(client)
  } catch {
    return false
  }
}
