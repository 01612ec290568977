import { InvalidOptionsError } from '../errors/invalid-options-error.js'
import { TransactionConflictError } from '../errors/transaction-conflict-error.js'
import type { LeaseTerms } from '../lease/lease-terms.js'
import type { Lending } from '../lease/lending.js'
import { areSameSettings, declareSettings, type DeclaredSettings, mergeSettings } from '../options/declared-settings.js'
import type { Propagation, TransactionOptions } from '../options/transaction-options.js'
import type { Settings } from '../ports/settings.js'
import type { Site } from '../ports/owner.js'
import { currentContext, currentFrame, innermostTransaction, runInContext } from '../scope/context.js'
import { Escapes } from './escapes.js'
import { type EnterTransaction, type OrmTransactionRequest, runOrmInside } from './orm-run.js'
import { OrmsOwnTransaction } from './orms-own-transaction.js'
import { runOrmAlone } from './run-orm-alone.js'
import { courseInTest, courseOf } from './propagation.js'
import { SessionLine } from './session-line.js'
import { shareSession } from './share-session.js'
import type { RunApart, Transaction } from './transaction.js'
import type { TransactionDesk } from './transaction-desk.js'
import type { TransactionParts } from './transaction-parts.js'
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
  readonly #line: SessionLine<Client>
  /** What everything joins, from wherever it comes: a test that is being rolled back. */
  #rehearsal: Transaction<Client> | undefined
  #isRehearsing = false

  constructor(desk: TransactionDesk<Client>) {
    this.#desk = desk
    this.#line = new SessionLine(desk)
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
    const transaction = frame?.whole === undefined ? this.#rehearsal : frame
    if (transaction?.isOver === true) throw transaction.ended(operation)
    return transaction
  }

  /** @see Pool.isInTransaction */
  get isAround(): boolean {
    if (!this.#hasRun || this.areAlone) return false
    const frame = currentFrame(this.#desk.poolId) as Transaction<Client> | OrmsOwnTransaction | undefined
    return frame !== undefined && !(frame instanceof OrmsOwnTransaction) && frame.whole !== undefined
  }

  /** The transaction of an ORM's own that the code which calls is opening, if it is doing that. */
  get opening(): OrmsOwnTransaction | undefined {
    if (!this.#hasRun) return undefined
    const frame = currentFrame(this.#desk.poolId)
    return frame instanceof OrmsOwnTransaction && !frame.isRunning ? frame : undefined
  }

  /**
   * Waits until the transaction of an ORM's own that is being opened may begin on the session that `lending` shares with
   * others of its scope.
   *
   * @throws what `SessionLine.enter` throws.
   */
  async takeTurn(lending: Lending<Client>): Promise<void> {
    const own = this.opening
    // What else it asks for on the way is no transaction.
    if (own?.holds !== lending) return
    const limit = new TimeLimit(this.#desk, undefined)
    limit.watch(lending.label)
    try {
      await this.#line.enter(lending, limit, own.outer)
    } finally {
      limit.ignore()
    }
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
    const parts = this.#partsOf(options)
    const propagation = options.propagation ?? 'required'
    const around = this.around('transaction')
    // What runs in a test is asked whether it is inside a transaction as if there were no test.
    const asked = courseOf(propagation, around !== undefined && around !== this.#rehearsal)
    const course = around?.whole?.apart === undefined ? asked : courseInTest(asked)
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

  /** Whether nothing joins but the client of a transaction itself. */
  get areAlone(): boolean {
    return this.#desk.joins === 'off' && !this.#isRehearsing
  }

  /** @see Pool.rehearse */
  async rehearse<R>(work: () => R | PromiseLike<R>): Promise<Awaited<R>> {
    const { pool } = this.#desk.leases
    if (this.#isRehearsing) {
      const what = `withRollback was called on pool "${pool}" while another one runs there, which everything joins`
      const remedy = 'Run one test after the other, or give each a pool of its own'
      throw new TransactionConflictError({ pool, label: 'withRollback', what, remedy })
    }
    this.#isRehearsing = true
    const done = new Error('a test has ended')
    let outcome: { readonly result: Awaited<R> } | undefined
    try {
      const rehearsal = async (_client: Client, transaction: Transaction<Client>): Promise<never> => {
        this.#rehearsal = transaction
        const result = await work()
        const { state } = transaction
        // Work was undone of somebody who does not know: without the test, it would have been an error as well.
        if (state.is === 'rollback-only') throw state.because
        outcome = { result }
        throw done
      }
      const apart: RunApart<Client> = {
        run: (around, send) => new InnerRun(this.#partsOf({}), around, true).run(() => send(), undefined),
      }
      await new TransactionRun({ ...this.#partsOf({}), apart }).begin(rehearsal)
    } catch (error) {
      if (error !== done) throw error
    } finally {
      this.#rehearsal = undefined
      this.#isRehearsing = false
    }
    if (outcome === undefined) throw new Error('bug in Leasehold: a test has ended without its outcome')
    return outcome.result
  }

  /** @see Pool.ormTransaction */
  runOrm<R>(
    open: (enter: EnterTransaction) => R,
    { modes = {}, isNested = false }: OrmTransactionRequest,
    entry: (...args: never[]) => unknown,
  ): R | Promise<Awaited<R>> {
    const { leases, joins, poolId } = this.#desk
    if (this.areAlone || leases.driver.transaction === undefined) return open((callback) => callback())
    this.#hasRun = true
    let around: Transaction<Client> | undefined
    try {
      around = this.around('transaction')
    } catch (error) {
      // The methods of ORMs reject, and never throw.
      return Promise.reject(error)
    }
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
    const own = new OrmsOwnTransaction(
      poolId,
      leases.pool,
      outer,
      this.#escapes.areWanted ? leases.siteOf(entry) : undefined,
    )
    return runInContext({ scope, frame: own }, () => runOrmAlone(own, open))
  }

  /** @throws {InvalidOptionsError} when the driver has no transactions. */
  #partsOf(options: TransactionOptions): TransactionParts<Client> {
    const { driver, pool } = this.#desk.leases
    if (driver.transaction === undefined) {
      const expected = 'a driver with transactions of its own'
      throw new InvalidOptionsError(`Transactions of pool "${pool}"`, [
        { option: 'driver', received: driver.name, expected },
      ])
    }
    this.#hasRun = true
    const limit = new TimeLimit(this.#desk, options.timeoutMs)
    return { desk: this.#desk, port: driver.transaction, options, limit, line: this.#line }
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
    const outside = `propagation '${propagation}' was asked for outside of any transaction on pool "${pool}"`
    const other = innermostTransaction()
    if (other === undefined || other.poolId === this.#desk.poolId) {
      const remedy = 'Call it inside pool.transaction'
      return new TransactionConflictError({ pool, label: '', what: outside, remedy })
    }
    const what = `${outside}: the one around it is on pool "${other.pool}", and no transaction spans two pools`
    const remedy = 'Call it inside a transaction of its own pool, or make both pools one'
    return new TransactionConflictError({ pool, otherPool: other.pool, label: '', what, remedy })
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
