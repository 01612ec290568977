import { PoolClosedError } from '../errors/pool-closed-error.js'
import type { OptionFault } from '../errors/invalid-options-error.js'
import { ScopeClosedError } from '../errors/scope-closed-error.js'
import { SettingRequiredError } from '../errors/setting-required-error.js'
import { acquireChannel } from '../events/channels.js'
import type { PoolEventName, PoolEvents } from '../events/pool-events.js'
import { subscribe } from '../events/subscribe.js'
import { Lease } from '../lease/lease.js'
import { Leases } from '../lease/leases.js'
import type { Lending } from '../lease/lending.js'
import type { AcquireRequest } from '../options/acquire-request.js'
import { checkAcquireRequest } from '../options/check-acquire-request.js'
import { refuseFaults } from '../options/check-options.js'
import { areSameSettings, type DeclaredSettings } from '../options/declared-settings.js'
import { checkCloseOptions, checkNewMax, type CloseOptions } from '../options/check-close-options.js'
import { checkTransactionOptions } from '../options/check-transaction-options.js'
import type { TransactionOptions } from '../options/transaction-options.js'
import type { ResolvedPoolOptions } from '../options/pool-options.js'
import { Connections } from '../pool/connections.js'
import type { Driver } from '../ports/driver.js'
import type { Site } from '../ports/owner.js'
import { bindToContext, currentContext, nextPoolId, runOutsideContext } from '../scope/context.js'
import type { Scope } from '../scope/scope.js'
import type { TransactionWork } from '../transaction/transaction-run.js'
import { Transactions } from '../transaction/transactions.js'
import { Asked } from './asked.js'
import { LeaseSettings } from './lease-settings.js'
import { LateAcquires } from './late-acquires.js'
import { openPromise } from './open-promise.js'
import { PendingLease, type WaitingRoom } from './pending-lease.js'
import { Refusals } from './refusals.js'
import { acquireShared } from './shared-session.js'
import type { PoolSnapshot } from './snapshot.js'
import { takeSnapshot } from './take-snapshot.js'

const NO_REQUEST: AcquireRequest = Object.freeze({})
const NO_LABEL = 'outside any scope'
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
  readonly #room: WaitingRoom<Client>
  readonly #transactions: Transactions<Client>
  #ready: Promise<void> | undefined
  #closed: Promise<void> | undefined
  #calledFrom: Site | undefined
  #checked: AcquireRequest = NO_REQUEST

  constructor(driver: Driver<Client>, options: ResolvedPoolOptions<Client>) {
    this.#options = options
    this.#connections = new Connections({
      driver,
      options,
      poolId: this.#id,
      outside: runOutsideContext,
      alsoDue: (now) => this.#leases.watch(now),
      expired: (waiter) => this.#refusals.expire(waiter),
    })
    this.#leases = new Leases(this.#connections, this.#id)
    this.#refusals = new Refusals(this.#connections, this.#leases, this.#id)
    this.#late = new LateAcquires(options.name, this.#id)
    this.#room = {
      grant: (connection, asked, now) => this.#leases.grant(connection, asked, now),
      withdraw: (waiter) => this.#connections.withdraw(waiter),
      aborted: (reason, { at }) => this.#refusals.abort(reason, at),
      abandoned: (abort, { label, at }) => this.#refusals.abandon(abort, label, at),
    }
    this.#transactions = new Transactions({
      leases: this.#leases,
      poolId: this.#id,
      clock: options.clock,
      acquireTimeoutMs: options.acquireTimeoutMs,
      graceMs: options.closeGraceMs,
      acquire: async (request) => this.#grant(this.#ask(request, this.transaction), false, itself),
      wake: (at, callback) => this.#wakeSomebody(at, callback),
    })
    if (options.warmUp === 'lazy') return
    this.#connections.fill()
    this.#connections.openFirst()
    if (options.warmUp === 'required') this.#ready = this.#firstConnection()
  }

  get name(): string {
    return this.#options.name
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
   * @throws {QueueFullError} when `maxWaiting` callers wait already.
   * @throws {AbortedError} when `signal` or the scope's signal aborted.
   * @throws {ScopeClosedError} when the scope has closed and `lateAcquire` is `refuse`, or closed while it waited.
   * @throws {PoolClosedError} when the pool closes or is closed.
   * @throws {InvalidOptionsError} when something is wrong with `request`.
   */
  acquire(request: AcquireRequest = NO_REQUEST): Promise<Lease<Client>> {
    if (acquireChannel.hasSubscribers) return this.#acquireTraced(request)
    try {
      return this.#acquire(request)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Lends a connection if that takes no waiting: one is idle, living and in need of no check, and nobody waits.
   * For callers that cannot wait, or that want to spare themselves a promise.
   */
  tryAcquire(request: AcquireRequest = NO_REQUEST): Lease<Client> | undefined {
    const asked = this.#ask(request, this.tryAcquire)
    const joined = this.#join(asked)
    if (joined !== undefined) return new Lease(joined)
    if (asked.mode === 'session' && asked.holder !== undefined) return undefined
    if (asked.declares?.prepare() !== undefined) return undefined
    this.#checkSettings(asked)
    const tied = this.#tiedTo(asked)
    if (tied !== undefined) return new Lease(this.#borrowTied(tied, asked))
    const connection = this.#connections.takeIdle(asked.at, asked.settings)
    return connection === undefined ? undefined : new Lease(this.#leases.grant(connection, asked, asked.at))
  }

  /** Acquires, runs `work` with the lease's client, awaits what it returns, and releases: always. */
  async use<R>(
    work: (client: Client, lease: Lease<Client>) => R | PromiseLike<R>,
    request: AcquireRequest = NO_REQUEST,
  ): Promise<Awaited<R>> {
    const lease = await this.acquire(request)
    try {
      return await work(lease.client, lease)
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
    checkTransactionOptions(options)
    return this.#transactions.run(work, options)
  }

  /**
   * Captures where it is called from, if `captureSites` wants to know it this time: for adapters whose acquire comes later
   * than their caller's call, when the caller's frames are gone. To be given to `acquire` as `site`.
   *
   * @param below the function whose callers are wanted: it, and what it called, are left out.
   */
  captureSite(below: (...args: never[]) => unknown): Site | undefined {
    return this.#leases.sites.capture(currentContext()?.scope?.label ?? NO_LABEL, below)
  }

  /**
   * Runs `work`; what that asks for before its first `await`, it asks for on behalf of `site`. For adapters that do not
   * acquire themselves: a facade's `query` and `connect` take no request to put a site in.
   */
  calledFrom<R>(site: Site, work: () => R): R {
    const outer = this.#calledFrom
    this.#calledFrom = site
    try {
      return work()
    } finally {
      this.#calledFrom = outer
    }
  }

  /** What is known of the pool now. */
  snapshot(): PoolSnapshot {
    return takeSnapshot(this.#connections, this.#leases, this.#refusals, this.#late.count)
  }

  /** Calls `listener` for each `event` of this pool; returns what stops it. */
  on<Name extends PoolEventName>(event: Name, listener: (event: PoolEvents[Name]) => void): () => void {
    // Published from whoever's request it happens to be; heard where the listener belongs.
    return subscribe(this.#id, event, bindToContext(listener))
  }

  /** Lends no more until `resume`; callers wait, within their deadlines. What is lent stays lent. */
  pause(): void {
    this.#connections.pause()
  }

  resume(): void {
    this.#connections.resume()
  }

  /** Replaces every connection: idle ones now, lent ones when they come back. */
  reconnect(): void {
    this.#connections.reconnect()
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
   */
  ready(): Promise<void> {
    return this.#ready ?? Promise.resolve()
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

  async #close(deadlineMs: number): Promise<void> {
    const deadline = this.#connections.agenda.at(this.#options.clock.now() + deadlineMs, () => {
      this.#connections.hurry()
      this.#leases.takeBackAll()
    })
    await this.#connections.drain()
    deadline()
  }

  #acquire(request: AcquireRequest): Promise<Lease<Client>> {
    return this.#grant(this.#ask(request, this.acquire), true, leaseOf)
  }

  /** @param mayJoin false for a transaction of its own. @param give makes of the lending what the caller wants. */
  #grant<Granted>(asked: Asked, mayJoin: boolean, give: (lending: Lending<Client>) => Granted): Promise<Granted> {
    const unknown = asked.declares?.prepare()
    if (unknown === undefined) return this.#lend(asked, mayJoin, give)
    // A function that asks somebody else what its settings are has the caller's patience too.
    return this.#waitAlong(asked, unknown).then(() => {
      this.#refuseWhenGone(asked)
      return this.#lend(asked, mayJoin, give)
    })
  }

  #lend<Granted>(asked: Asked, mayJoin: boolean, give: (lending: Lending<Client>) => Granted): Promise<Granted> {
    const joined = mayJoin ? this.#join(asked) : undefined
    if (joined !== undefined) return Promise.resolve(give(joined))
    this.#checkSettings(asked)
    const tied = this.#tiedTo(asked)
    if (tied !== undefined) return Promise.resolve(give(this.#borrowTied(tied, asked)))
    if (asked.mode === 'session' && asked.holder !== undefined) {
      return this.#acquireShared(asked, asked.holder).then(give)
    }
    const connection = this.#connections.takeIdle(asked.at, asked.settings)
    if (connection !== undefined) return Promise.resolve(give(this.#leases.grant(connection, asked, asked.at)))
    return this.#wait(asked, give)
  }

  /** The session of the transaction around the caller, if there is one. A lease held for long is nobody's. */
  #join(asked: Asked): Lending<Client> | undefined {
    if (this.#options.joinTransactions === 'off' || this.#options.observe || asked.isLong) return undefined
    const transaction = this.#transactions.around('acquire')
    return transaction && this.#transactions.borrow(transaction, asked, asked.request.settings)
  }

  /** Calls `callback` at `at`; the process lives until then. */
  #wakeSomebody(at: number, callback: () => void): () => void {
    const { agenda, wakeUp } = this.#connections
    let isDue = true
    const letGo = (): void => {
      if (isDue) wakeUp.letGo()
      isDue = false
    }
    wakeUp.hold()
    const takeBack = agenda.at(at, () => {
      letGo()
      callback()
    })
    return () => {
      takeBack()
      letGo()
    }
  }

  async #acquireTraced(request: AcquireRequest): Promise<Lease<Client>> {
    const since = this.#options.clock.now()
    const context = { pool: this.name, poolId: this.#id, label: '', waitedMs: 0, connection: 0 }
    return acquireChannel.tracePromise(async () => {
      const lease = await this.#acquire(request)
      context.label = lease.label
      context.waitedMs = this.#options.clock.now() - since
      context.connection = lease.connectionId
      return lease
    }, context)
  }

  /**
   * Works the scope and the defaults into a request. Throws what can be refused at once.
   *
   * @param entry the method that was called: the call site is below it.
   */
  #ask(request: AcquireRequest, entry: (...args: never[]) => unknown): Asked {
    if (request !== this.#checked) {
      checkAcquireRequest(request)
      // A request that cannot change need not be looked at again: a facade sends the same one for every query.
      if (Object.isFrozen(request)) this.#checked = request
    }
    this.#refuseWhenClosed()
    const now = this.#options.clock.now()
    // A lease meant to be held for long is nobody's request: it outlives the scope in which it happens to be asked for.
    let scope = request.hold === 'long' ? undefined : currentContext()?.scope
    let label = request.label ?? scope?.label ?? NO_LABEL
    const declares =
      scope?.settings === undefined && request.settings === undefined && request.defaultSettings === undefined
        ? undefined
        : new LeaseSettings(scope, this, request)
    const site = 'site' in request ? request.site : (this.#calledFrom ?? this.#leases.sites.capture(label, entry))
    if (scope !== undefined && !scope.isOpen) {
      if (this.#options.lateAcquire === 'refuse' && !this.#options.observe) {
        throw new ScopeClosedError({ label: scope.label, pool: this.name, cause: scope.aborted?.reason })
      }
      this.#late.report(label, site, entry)
      label = `${label} (after its scope closed)`
      scope = undefined
    }
    if (scope?.aborted !== undefined) throw this.#refusals.abandon(scope.aborted, scope.label, now)
    if (request.signal?.aborted === true) throw this.#refusals.abort(request.signal.reason, now)
    return new Asked(request, label, site, scope?.mode ?? this.#options.mode, scope, now, false, this, declares)
  }

  async #acquireShared(asked: Asked, scope: Scope): Promise<Lending<Client>> {
    const base = await acquireShared<Client>(this.#id, scope, asked, {
      ask: (shared) => {
        // It may be a while since the caller came: it has waited for another one that gave up.
        this.#refuseWhenGone(asked)
        const now = this.#options.clock.now()
        const connection = this.#connections.takeIdle(now, shared.settings)
        if (connection !== undefined) return Promise.resolve(this.#leases.grant(connection, shared, now))
        return this.#wait(shared, itself)
      },
      waitFor: (shared) => this.#waitAlong(asked, shared),
    })
    if (scope.aborted !== undefined) throw this.#room.abandoned(scope.aborted, asked)
    // Between the granting and this line others had their turn, and may have ended the session.
    if (!base.open) return this.#acquireShared(asked, scope)
    return this.#leases.borrow(base, asked)
  }

  /** The session on which the caller's scope has left something, if there is one: what comes next belongs there. */
  #tiedTo(asked: Asked): Lending<Client> | undefined {
    const { holder } = asked
    const tied = holder?.tiedOn(this.#id) as Lending<Client> | undefined
    if (tied === undefined) return undefined
    // With other settings it would change those of the statements that run there for others.
    if (!areSameSettings(tied.terms.settings, asked.settings)) return undefined
    if (tied.open && tied.connection.ledger.lostBy === undefined) return tied
    holder?.keepsNoMore(this.#id)
    tied.release()
    return undefined
  }

  #borrowTied(tied: Lending<Client>, asked: Asked): Lending<Client> {
    const lending = this.#leases.borrow(tied, asked)
    // The scope may have declared more since, or a statement of its own have changed what it declared.
    if (asked.settings !== undefined) this.#leases.declare(lending)
    return lending
  }

  /** Refuses who need not be served any more, after a while of waiting for something else than a connection. */
  #refuseWhenGone(asked: Asked): void {
    const { signal } = asked.request
    this.#refuseWhenClosed()
    if (asked.holder?.aborted !== undefined) throw this.#room.abandoned(asked.holder.aborted, asked)
    if (signal?.aborted === true) throw this.#room.aborted(signal.reason, asked)
  }

  /** Refuses settings that cannot be made, and the want of those that must be. */
  #checkSettings(asked: Asked): void {
    const { requireSettings } = this.#options
    if (asked.declares === undefined && requireSettings.length === 0) return
    const { settings } = asked
    const missing = requireSettings.filter((name) => settings?.has(name.toLowerCase()) !== true)
    if (missing.length > 0) throw new SettingRequiredError({ pool: this.name, label: asked.label, missing })
    if (settings !== undefined) this.#refuseUndeclarable(settings, asked)
  }

  #refuseUndeclarable(settings: DeclaredSettings, asked: Asked): void {
    const { name: driver, declare, undeclarable } = this.#leases.driver
    const faults: OptionFault[] = []
    if (declare === undefined) {
      const expected = `none: driver ${driver} cannot make them`
      faults.push({ option: 'settings', received: [...settings.keys()].join(', '), expected })
    }
    for (const name of settings.keys()) {
      const why = undeclarable?.get(name)
      if (why !== undefined) faults.push({ option: `settings.${name}`, received: 'a value', expected: `none: ${why}` })
    }
    if (asked.mode === 'session' && asked.holder !== undefined && asked.request.settings !== undefined) {
      const expected = 'none in a scope of mode session, whose leases share one session: declare them on the scope'
      faults.push({ option: 'settings', received: 'those of a request', expected })
    }
    refuseFaults(`What ${asked.label} declares`, faults)
  }

  #refuseWhenClosed(): void {
    const { is } = this.#connections.state
    if (is === 'closing' || is === 'closed') throw new PoolClosedError(this.name)
  }

  #wait<Granted>(asked: Asked, give: (lending: Lending<Client>) => Granted): Promise<Granted> {
    if (this.#connections.backlog >= this.#options.maxWaiting) this.#refusals.queueFull(asked.label)
    const { promise, resolve, reject } = openPromise<Granted>()
    this.#connections.enqueue(new PendingLease(this.#room, asked, this.#deadlineOf(asked), give, resolve, reject))
    return promise
  }

  /** Waits for what another caller of the same scope asked for. A scope that ends sends that one away. */
  #waitAlong<T>(asked: Asked, others: Promise<T>): Promise<T> {
    const { agenda, wakeUp } = this.#connections
    const { signal } = asked.request
    let leave = (): void => {}
    const givenUp = new Promise<never>((_resolve, reject) => {
      const onAbort = (): void => reject(this.#room.aborted(signal?.reason, asked))
      const onDeadline = (): void => reject(this.#refusals.timeout(asked.at))
      const takeBack = agenda.at(this.#deadlineOf(asked), onDeadline)
      signal?.addEventListener('abort', onAbort, { once: true })
      wakeUp.hold()
      leave = () => {
        takeBack()
        signal?.removeEventListener('abort', onAbort)
        wakeUp.letGo()
      }
    })
    return Promise.race([others, givenUp]).finally(() => leave())
  }

  #deadlineOf({ request, holder, at }: Asked): number {
    return Math.min(
      at + (request.timeoutMs ?? this.#options.acquireTimeoutMs),
      holder?.deadlineOn(this.#options.clock) ?? Number.POSITIVE_INFINITY,
    )
  }

  /** Settles with the first connection that is opened or fails to be. */
  #firstConnection(): Promise<void> {
    const first = new Promise<void>((resolve, reject) => {
      const done = (settle: () => void): void => {
        offOpen()
        offFailed()
        settle()
      }
      const offOpen = this.on('open', () => done(resolve))
      const offFailed = this.on('open-failed', ({ error }) => done(() => reject(error)))
    })
    // Who never asks for ready() has chosen not to know: that must not end the process.
    first.catch(() => {})
    return first
  }
}
