import { PoolClosedError } from '../errors/pool-closed-error.js'
import type { PoolEventName, PoolEvents } from '../events/pool-events.js'
import { Lease, lendingOf } from '../lease/lease.js'
import { Leases } from '../lease/leases.js'
import type { Lending } from '../lease/lending.js'
import type { AcquireRequest } from '../options/acquire-request.js'
import { checkForcedBreaker } from '../options/check-forced-breaker.js'
import { checkFunction } from '../options/check-function.js'
import { checkCloseOptions, checkNewMax, type CloseOptions } from '../options/check-close-options.js'
import { checkTransactionOptions } from '../options/check-transaction-options.js'
import type { TransactionOptions } from '../options/transaction-options.js'
import type { ResolvedPoolOptions } from '../options/pool-options.js'
import { Connections } from '../pool/connections.js'
import { wakeSomebody } from '../pool/wake-somebody.js'
import type { Driver } from '../ports/driver.js'
import type { Site } from '../ports/owner.js'
import { awaitInside } from '../scope/await-inside.js'
import { currentContext, nextPoolId, runInUse, runOutsideContext } from '../scope/context.js'
import { UseFrame } from '../scope/use-frame.js'
import type { EnterTransaction, OrmTransactionRequest } from '../transaction/orm-run.js'
import type { TransactionWork } from '../transaction/perform-work.js'
import { Transactions } from '../transaction/transactions.js'
import { AcquireTraces } from './acquire-traces.js'
import { Asking } from './asking.js'
import { DeadlockWatch } from './deadlock-watch.js'
import { type FirstConnection, firstConnection } from './first-connection.js'
import { LateAcquires } from './late-acquires.js'
import { LendingDesk } from './lending-desk.js'
import { Listeners } from './listeners.js'
import { letGoOfLastPromise } from './open-promise.js'
import { Refusals } from './refusals.js'
import type { PoolSnapshot } from './snapshot.js'
import { reportUtilization } from './report-utilization.js'
import { takeSnapshot } from './take-snapshot.js'

const NO_REQUEST: AcquireRequest = Object.freeze({})
const CLOSE_DEADLINE_MS = 10_000

function leaseOf<Client>(lending: Lending<Client>): Lease<Client> {
  return new Lease(lending)
}

function itself<Client>(lending: Lending<Client>): Lending<Client> {
  return lending
}

/** The connections of one database, lent one lease at a time. Made by `createPool`. */
export class Pool<Client> {
  readonly #id = nextPoolId()
  readonly #connections: Connections<Client>
  readonly #leases: Leases<Client>
  readonly #refusals: Refusals<Client>
  readonly #late: LateAcquires
  readonly #options: ResolvedPoolOptions<Client>
  readonly #transactions: Transactions<Client>
  readonly #asking: Asking<Client>
  readonly #desk: LendingDesk<Client>
  readonly #deadlocks: DeadlockWatch<Client>
  readonly #traces: AcquireTraces
  readonly #listeners: Listeners = new Listeners(this.#id)
  #first: FirstConnection | undefined
  #closed: Promise<void> | undefined

  constructor(driver: Driver<Client>, options: ResolvedPoolOptions<Client>) {
    this.#options = options
    this.#connections = new Connections({
      driver,
      options,
      poolId: this.#id,
      outside: runOutsideContext,
      alsoDue: (now) => {
        letGoOfLastPromise()
        return this.#leases.watch(now)
      },
      expired: (waiter) => this.#refusals.expire(waiter, this.#deadlocks.heldBy(waiter)),
      shed: (waiter, standingMs) => this.#refusals.shed(waiter, standingMs),
      utilized: (level, lastedMs) => reportUtilization(this.#connections, this.#leases, this.#id, level, lastedMs),
    })
    this.#leases = new Leases(this.#connections, this.#id)
    this.#refusals = new Refusals(this.#connections, this.#leases, this.#id)
    this.#deadlocks = new DeadlockWatch(this.#connections, this.#leases, this.#id)
    this.#late = new LateAcquires(options.name, this.#id)
    this.#traces = new AcquireTraces(options.name, this.#id, options.clock)
    this.#transactions = new Transactions({
      leases: this.#leases,
      poolId: this.#id,
      clock: options.clock,
      // An observing pool joins nothing.
      joins: options.observe ? 'off' : options.joinTransactions,
      acquireTimeoutMs: options.acquireTimeoutMs,
      graceMs: options.closeGraceMs,
      acquire: (request) => {
        const grant = (): Promise<Lending<Client>> =>
          this.#desk.grant(this.#asking.ask(request, this.transaction), false, itself)
        return this.#traces.areWanted ? this.#traces.around(grant, itself) : grant()
      },
      wake: (at, callback) => wakeSomebody(this.#connections, at, callback),
    })
    this.#asking = new Asking({
      pool: this,
      options,
      connections: this.#connections,
      sites: this.#leases.sites,
      refusals: this.#refusals,
      late: this.#late,
    })
    this.#desk = new LendingDesk({
      poolId: this.#id,
      asking: this.#asking,
      options,
      connections: this.#connections,
      leases: this.#leases,
      refusals: this.#refusals,
      transactions: this.#transactions,
      deadlocks: this.#deadlocks,
      sessionOpened: (lending) => this.#traces.granted(lending),
    })
    if (options.warmUp === 'lazy') return
    this.#connections.fill()
    this.#connections.openFirst()
    if (options.warmUp === 'required') this.#first = firstConnection((...to) => this.on(...to))
  }

  get name(): string {
    return this.#options.name
  }

  /** `open`, `paused`, `closing`, or `closed` when every connection is. */
  get state(): PoolSnapshot['state'] {
    return this.#connections.state.is
  }

  /** The options in force, defaults filled in. */
  get options(): ResolvedPoolOptions<Client> {
    return this.#options
  }

  /**
   * Lends a connection, at once if one is free, else as soon as it is this caller's turn.
   *
   * @throws {AcquireTimeoutError} when none was free within the timeout or the scope's deadline.
   * @throws {ConnectFailedError} when it was this caller's turn and a connection could not be opened.
   * @throws {SelfDeadlockError} when all connections are held by code that waits for one more, and this caller came last.
   * @throws {CircuitOpenError} when none is alive that could be lent, and none is opened for the moment because that kept failing.
   * @throws {QueueFullError} when `maxWaiting` callers wait already.
   * @throws {OverloadedError} when it has waited too long in a queue that stands: see `queueDelay`.
   * @throws {AbortedError} when `signal` or the scope's signal aborted.
   * @throws {ScopeClosedError} when the scope has closed and `lateAcquire` is `refuse`, or closed while it waited.
   * @throws {PoolClosedError} when the pool closes or is closed.
   * @throws {InvalidOptionsError} when something is wrong with `request`.
   */
  acquire(request: AcquireRequest = NO_REQUEST): Promise<Lease<Client>> {
    try {
      if (!this.#traces.areWanted) return this.#acquire(request, this.acquire)
      return this.#traces.around(() => this.#acquire(request, this.acquire), lendingOf)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Lends a connection if that takes no waiting: one is idle, living and in need of no check, and nobody waits.
   * For callers that cannot wait, or that want to spare themselves a promise.
   */
  tryAcquire(request: AcquireRequest = NO_REQUEST): Lease<Client> | undefined {
    const lending = this.#desk.grantAtOnce(this.#asking.ask(request, this.tryAcquire))
    if (lending === undefined) return undefined
    const lease = new Lease(lending)
    this.#traces.granted(lending, lease)
    return lease
  }

  /**
   * For adapters: `acquire` without its promise, which is felt in each query. Calls `serve` before it returns where a
   * connection is idle, and otherwise when it is this caller's turn; or `refuse`, with what `acquire` throws.
   *
   * @param serve must not throw.
   * @param entry the adapter's own method that was called: the call site is below it, whatever lies in between.
   */
  acquireThen(
    request: AcquireRequest = NO_REQUEST,
    serve: (lease: Lease<Client>) => void,
    refuse: (error: unknown) => void,
    entry: (...args: never[]) => unknown = this.acquireThen,
  ): void {
    if (!this.#traces.areWanted) return this.#acquireThen(request, serve, refuse, entry)
    const grant = (served: typeof serve, refused: typeof refuse): void =>
      this.#acquireThen(request, served, refused, entry)
    this.#traces.aroundCall(grant, lendingOf, serve, refuse)
  }

  #acquireThen(
    request: AcquireRequest,
    serve: (lease: Lease<Client>) => void,
    refuse: (error: unknown) => void,
    entry: (...args: never[]) => unknown,
  ): void {
    let lending: Lending<Client> | undefined
    try {
      const asked = this.#asking.ask(request, entry)
      // What a function declares is asked for once.
      lending = asked.declares === undefined ? this.#desk.grantAtOnce(asked) : undefined
      if (lending === undefined) return void this.#desk.grant(asked, true, leaseOf).then(serve, refuse)
    } catch (error) {
      return refuse(error)
    }
    serve(new Lease(lending))
  }

  /** Acquires, runs `work` with the lease's client, awaits what it returns, and releases: always. */
  async use<R>(
    work: (client: Client, lease: Lease<Client>) => R | PromiseLike<R>,
    request: AcquireRequest = NO_REQUEST,
  ): Promise<Awaited<R>> {
    checkFunction('use', 'work', work)
    const lease = await this.acquire(request)
    try {
      // What it returns may be a lazy query: it is awaited inside.
      return await runInUse(this.#frameOf(lease), () => awaitInside(work(lease.client, lease)))
    } finally {
      lease.release()
    }
  }

  /**
   * Runs `work` in a transaction: commits when what it returns is fulfilled, rolls back when it throws, and throws the same.
   * Every query of whatever asks this pool for a connection meanwhile, in the context of `work`, is part of it, and the
   * transactions of ORMs become savepoints in it.
   *
   * Locks, notifications and deferred constraints of what joined follow the end of the whole.
   *
   * @param work is given a client, and the transaction, for `afterCommit` and `afterRollback`.
   * @throws {TransactionConflictError} when the propagation forbids it, when it is asked to run otherwise than the transaction
   * around it, and in place of a commit that the server, or another part of it, has made a rollback.
   * @throws {TransactionEndedError} when the transaction around it has ended, and when it took longer than `timeoutMs`.
   * @throws {InvalidOptionsError} when something is wrong with `options`, or the driver has no transactions.
   * @throws what `acquire` throws, when it begins one.
   */
  async transaction<R>(work: TransactionWork<Client, R>, options: TransactionOptions = {}): Promise<Awaited<R>> {
    checkFunction('transaction', 'work', work)
    checkTransactionOptions(options)
    return this.#transactions.run(work, options, this.transaction)
  }

  /**
   * For tests: runs `work` in a transaction that everything joins which asks this pool for a connection meanwhile, in whatever
   * context, and rolls it back. See `withRollback` of `@leasehold/core/testing`.
   *
   * @throws {TransactionConflictError} when another one runs on this pool, and when work was undone of somebody who does not know.
   * @throws what `work` throws.
   */
  rehearse<R>(work: () => R | PromiseLike<R>): Promise<Awaited<R>> {
    return this.#transactions.rehearse(work)
  }

  /**
   * For adapters: runs `open`, which calls the method of an ORM for transactions, so that this becomes a savepoint in the
   * transaction around the code that calls, and what runs in its callback is part of it. Where there is none, and
   * `joinTransactions` is `all`, there is one then; else what the callback asks of the pool is reported, and runs outside.
   *
   * @param open is given what must run the callback of the ORM; it refuses one whose transaction never began.
   * @returns what `open` returns: the very same, where nothing has to be waited for. Rejects with a `TransactionEndedError` when
   * the transaction around it has ended.
   */
  ormTransaction<R>(
    open: (enter: EnterTransaction) => R,
    request: OrmTransactionRequest = {},
  ): R | Promise<Awaited<R>> {
    checkFunction('ormTransaction', 'open', open)
    return this.#transactions.runOrm(open, request, this.ormTransaction)
  }

  /** For adapters: whether the code that calls is inside a transaction of this pool, which what it asks for would join. */
  get isInTransaction(): boolean {
    return this.#transactions.isAround
  }

  /**
   * Captures where it is called from, if `captureSites` wants to know it this time: for adapters whose acquire comes later
   * than their caller's call, when the caller's frames are gone. To be given to `acquire` as `site`.
   *
   * @param below the function whose callers are wanted: it, and what it called, are left out.
   */
  captureSite(below: (...args: never[]) => unknown): Site | undefined {
    return this.#asking.captureSite(below)
  }

  /**
   * Runs `work`; what that asks for before its first `await`, it asks for on behalf of `site`, which is not captured again where
   * it is undefined. For adapters that do not acquire themselves: a facade's `query` and `connect` take no request to put a
   * site in.
   */
  calledFrom<R>(site: Site | undefined, work: () => R): R {
    return this.#asking.calledFrom(site, work)
  }

  /** What is known of the pool now. */
  snapshot(): PoolSnapshot {
    return takeSnapshot({
      connections: this.#connections,
      leases: this.#leases,
      refusals: this.#refusals,
      places: this.#desk.places,
      lateAcquires: this.#late.count,
    })
  }

  /**
   * Calls `listener` for each `event` of this pool, until the pool is closed; returns what stops it before.
   *
   * @throws {InvalidOptionsError} for an event that there is not.
   */
  on<Name extends PoolEventName>(event: Name, listener: (event: PoolEvents[Name]) => void): () => void {
    return this.#listeners.add(event, listener)
  }

  /** Lends no more until `resume`; callers wait, within their deadlines. What is lent stays lent. */
  pause(): void {
    this.#connections.pause()
  }

  /** Lends again. What has failed before is forgotten: an open circuit closes, and nothing waits for its pause. */
  resume(): void {
    this.#connections.resume()
  }

  /** Replaces every connection: idle ones now, lent ones when they come back. */
  reconnect(): void {
    this.#connections.reconnect()
  }

  /**
   * Holds the circuit open (no connection is opened, who would need one is refused at once) or closed (whatever fails), until
   * `automatic` gives it back to what is seen of the database. What is lent, or idle, goes on serving.
   */
  forceBreaker(to: 'open' | 'closed' | 'automatic'): void {
    checkForcedBreaker(to)
    this.#connections.breaker.force(to)
  }

  /** Changes `max`. What is open beyond it is closed as it comes back. */
  resize(max: number): void {
    checkNewMax(max, this.#options.min)
    this.#connections.resize(max)
  }

  /**
   * Resolves when the pool has shown that it can open a connection, with `warmUp: 'required'`; otherwise at once.
   *
   * @throws {ConnectFailedError} when the first connection could not be opened.
   * @throws {PoolClosedError} when the pool was closed before there was one.
   */
  ready(): Promise<void> {
    return this.#first?.ready ?? Promise.resolve()
  }

  /** Resolves when no connection that was given back is being cleaned or closed any more. Never rejects. */
  get recycled(): Promise<void> {
    return this.#leases.recycled()
  }

  /**
   * Lends no more, sends waiting callers away, and resolves when every connection is closed. What is still lent after
   * `deadlineMs` (default 10,000; `Infinity` waits for ever) is taken back and closed. A second call joins the first.
   */
  close(options: CloseOptions = {}): Promise<void> {
    checkCloseOptions(options)
    return (this.#closed ??= this.#close(options.deadlineMs ?? CLOSE_DEADLINE_MS))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #frameOf(lease: Lease<Client>): UseFrame {
    return new UseFrame(this.#id, this.name, currentContext()?.frame, lendingOf(lease))
  }

  async #close(deadlineMs: number): Promise<void> {
    const deadline = this.#connections.agenda.at(this.#options.clock.now() + deadlineMs, () => {
      this.#connections.hurry()
      this.#leases.takeBackAll()
    })
    this.#first?.forgo(new PoolClosedError(this.name))
    await this.#connections.drain()
    deadline()
    this.#deadlocks.close()
    this.#listeners.stop()
    letGoOfLastPromise()
  }

  #acquire(request: AcquireRequest, entry: (...args: never[]) => unknown): Promise<Lease<Client>> {
    return this.#desk.grant(this.#asking.ask(request, entry), true, leaseOf)
  }
}
