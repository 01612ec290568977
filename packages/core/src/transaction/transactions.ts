import { InvalidOptionsError } from '../errors/invalid-options-error.js'
import { TransactionConflictError } from '../errors/transaction-conflict-error.js'
import { TransactionEndedError } from '../errors/transaction-ended-error.js'
import type { LeaseTerms, Lending } from '../lease/lending.js'
import { areSameSettings, declareSettings, type DeclaredSettings, mergeSettings } from '../options/declared-settings.js'
import type { Propagation, TransactionOptions } from '../options/transaction-options.js'
import type { Settings } from '../ports/settings.js'
import type { Site } from '../ports/owner.js'
import { currentContext, currentFrame, runInContext } from '../scope/context.js'
import { Escapes } from './escapes.js'
import { type EnterTransaction, type OrmTransactionRequest, runOrmInside } from './orm-run.js'
import { OrmsOwnTransaction } from './orms-own-transaction.js'
import { runOrmAlone } from './run-orm-alone.js'
import { courseOf } from './propagation.js'
import { shareSession } from './share-session.js'
import type { Transaction } from './transaction.js'
import type { TransactionDesk } from './transaction-desk.js'
import { InnerRun } from './inner-run.js'
import type { TransactionWork } from './perform-work.js'
import { TimeLimit } from './time-limit.js'
import { TransactionRun } from './transaction-run.js'

/** The transactions of one pool, and what asks for a connection inside them. */
export class Transactions<Client> {
  readonly #desk: TransactionDesk<Client>
  /** As long as there was none, no lease need look for one around it: the look costs as much as reading the clock. */
  #hasRun = false

  readonly #escapes: Escapes

  constructor(desk: TransactionDesk<Client>) {
    this.#desk = desk
    this.#escapes = new Escapes(desk.leases.pool, desk.poolId, desk.leases.sites)
  }

  /**
   * The transaction around the code that calls; undefined where there is none.
   *
   * @param site where it was asked for, if that was captured.
   * @throws {TransactionEndedError} when it has ended: what is done now would stay whatever became of it.
   */
  around(operation: string, site?: Site): Transaction<Client> | undefined {
    if (!this.#hasRun) return undefined
    // The number is this pool's alone, so the frame is one of those made here.
    const frame = currentFrame(this.#desk.poolId) as Transaction<Client> | OrmsOwnTransaction | undefined
    if (frame instanceof OrmsOwnTransaction) return this.#besideOrms(frame, site)
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

  /**
   * @param entry the method that was called: the call site is below it.
   * @see Pool.transaction
   */
  run<R>(
    work: TransactionWork<Client, R>,
    options: TransactionOptions,
    entry: (...args: never[]) => unknown,
  ): Promise<Awaited<R>> {
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
    const limit = new TimeLimit(this.#desk, options.timeoutMs)
    const parts = { desk: this.#desk, port: driver.transaction, options, limit }
    const course = courseOf(propagation, around !== undefined)
    if (course === 'refuse') throw this.#refusal(propagation, around)
    if (around !== undefined && (course === 'join' || course === 'savepoint')) {
      const isSavepoint = course === 'savepoint'
      const site = isSavepoint ? this.#desk.leases.siteOf(entry) : undefined
      return new InnerRun(parts, around, isSavepoint).run(work, site)
    }
    refuseOnSharedSession(around, propagation)
    const run = new TransactionRun(parts)
    return course === 'begin' ? run.begin(work) : run.without(work)
  }

  /** @see Pool.ormTransaction */
  runOrm<R>(
    open: (enter: EnterTransaction) => R,
    { modes = {}, isNested = false }: OrmTransactionRequest,
    entry: (...args: never[]) => unknown,
  ): R | Promise<Awaited<R>> {
    const { leases, joins, poolId } = this.#desk
    if (joins === 'off' || leases.driver.transaction === undefined) return open((callback) => callback())
    this.#hasRun = true
    const around = this.around('transaction')
    if (around !== undefined) return runOrmInside(this.#desk, around, leases.siteOf(entry), isNested, open)
    if (isNested) return open((callback) => callback())
    if (joins === 'all') {
      return this.run(
        (_client, transaction) => runOrmInside(this.#desk, transaction, leases.siteOf(entry), false, open),
        modes,
        entry,
      )
    }
    const { frame: outer, scope } = currentContext() ?? { frame: undefined, scope: undefined }
    const own = new OrmsOwnTransaction(poolId, outer, this.#escapes.areWanted ? leases.siteOf(entry) : undefined)
    return runInContext({ scope, frame: own }, () => runOrmAlone(own, open))
  }

  /** What is asked for in the callback of an ORM's own transaction runs outside of it, which is hardly meant. */
  #besideOrms({ isRunning, site }: OrmsOwnTransaction, known: Site | undefined): undefined {
    if (!isRunning) return
    const label = currentContext()?.scope?.label ?? 'outside any scope'
    this.#escapes.report(label, known, site)
  }

  #refusal(propagation: Propagation, around: Transaction<Client> | undefined): TransactionConflictError {
    const { pool } = this.#desk.leases
    if (around !== undefined) {
      return around.conflict(
        `propagation '${propagation}' was asked for in a transaction of ${around.label} on pool "${pool}"`,
        'Call it outside of the transaction',
      )
    }
    const what = `propagation '${propagation}' was asked for outside of any transaction on pool "${pool}"`
    return new TransactionConflictError({ pool, label: '', what, remedy: 'Call it inside pool.transaction' })
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
