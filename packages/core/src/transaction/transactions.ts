import { InvalidOptionsError } from '../errors/invalid-options-error.js'
import { TransactionConflictError } from '../errors/transaction-conflict-error.js'
import { TransactionEndedError } from '../errors/transaction-ended-error.js'
import type { LeaseTerms, Lending } from '../lease/lending.js'
import { areSameSettings, declareSettings, type DeclaredSettings, mergeSettings } from '../options/declared-settings.js'
import type { Propagation, TransactionOptions } from '../options/transaction-options.js'
import type { Settings } from '../ports/settings.js'
import { currentFrame, innermostTransaction } from '../scope/context.js'
import { courseOf } from './propagation.js'
import { shareSession } from './share-session.js'
import type { Transaction } from './transaction.js'
import type { TransactionDesk } from './transaction-desk.js'
import { TransactionRun, type TransactionWork } from './transaction-run.js'

/** The transactions of one pool, and what asks for a connection inside them. */
export class Transactions<Client> {
  readonly #desk: TransactionDesk<Client>
  /** As long as there was none, no lease need look for one around it: the look costs as much as reading the clock. */
  #hasRun = false

  constructor(desk: TransactionDesk<Client>) {
    this.#desk = desk
  }

  /**
   * The transaction around the code that calls; undefined where there is none.
   *
   * @throws {TransactionEndedError} when it has ended: what is done now would stay whatever became of it.
   */
  around(operation: string): Transaction<Client> | undefined {
    if (!this.#hasRun) return undefined
    // The number is this pool's alone, so the frame is one of those made here.
    const frame = currentFrame(this.#desk.poolId) as Transaction<Client> | undefined
    if (frame?.whole === undefined) return undefined
    if (!frame.isOver) return frame
    const { label, ending } = frame
    throw new TransactionEndedError({ pool: this.#desk.leases.pool, label, operation, endedBy: ending })
  }

  /** Lends the session of a transaction to who asks inside it. @param own the settings of the request itself. */
  borrow(transaction: Transaction<Client>, terms: LeaseTerms, own: Settings | undefined): Lending<Client> {
    const { whole } = transaction
    if (whole === undefined) throw new Error('bug in Leasehold: there is no transaction to join')
    const wanted = mergeSettings(terms.settings, whole.ownSettings)
    if (!areSameSettings(wanted, whole.settings) || !isWithin(declareSettings(own), whole.settings)) {
      throw transaction.conflict(
        `${terms.label} declares other settings than the transaction it runs in, whose connection it shares`,
        'Declare the settings on the transaction or around it, or use a transaction of its own (requires-new)',
      )
    }
    return shareSession(this.#desk.leases, transaction, whole, terms, false)
  }

  /** @see Pool.transaction */
  run<R>(work: TransactionWork<Client, R>, options: TransactionOptions): Promise<Awaited<R>> {
    const { driver, pool } = this.#desk.leases
    if (driver.transaction === undefined) {
      const expected = 'a driver with transactions of its own'
      throw new InvalidOptionsError(`Transactions of pool "${pool}"`, [
        { option: 'driver', received: driver.name, expected },
      ])
    }
    this.#hasRun = true
    const propagation = options.propagation ?? 'required'
    const around = this.around('transaction')
    const run = new TransactionRun(this.#desk, driver.transaction, options)
    const course = courseOf(propagation, around !== undefined)
    if (course === 'refuse') throw this.#refusal(propagation, around)
    if (around !== undefined && (course === 'join' || course === 'savepoint')) {
      return run.inside(around, course === 'savepoint', work)
    }
    refuseOnSharedSession(around, propagation)
    return course === 'begin' ? run.begin(work) : run.without(work)
  }

  #refusal(propagation: Propagation, around: Transaction<Client> | undefined): TransactionConflictError {
    const { pool } = this.#desk.leases
    if (around !== undefined) {
      return around.conflict(
        `propagation '${propagation}' was asked for in a transaction of ${around.label} on pool "${pool}"`,
        'Call it outside of the transaction',
      )
    }
    const outside = `propagation '${propagation}' was asked for outside of any transaction on pool "${pool}"`
    const other = innermostTransaction()?.pool
    if (other === undefined) {
      const remedy = 'Call it inside pool.transaction'
      return new TransactionConflictError({ pool, label: '', what: outside, remedy })
    }
    const what = `${outside}: the one around it is on pool "${other}", and no transaction spans two pools`
    const remedy = 'Call it inside a transaction of its own pool, or make both pools one'
    return new TransactionConflictError({ pool, otherPool: other, label: '', what, remedy })
  }
}

/** In a scope of mode `session` there is one session, and it is in the transaction. */
function refuseOnSharedSession(around: Transaction | undefined, propagation: Propagation): void {
  if (around?.whole?.base.mode !== 'session') return
  throw around.conflict(
    `propagation '${propagation}' needs a connection of its own, and ${around.label} has one for all, in mode session`,
    'Run it in a scope of mode transaction',
  )
}

function isWithin(some: DeclaredSettings | undefined, all: DeclaredSettings | undefined): boolean {
  return some === undefined || [...some].every(([name, value]) => all?.get(name) === value)
}
