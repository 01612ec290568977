import {
  type AcquireRequest,
  bindToContext,
  type CloseOptions,
  createPool,
  type Lease,
  type Pool,
  PoolClosedError,
  type PoolSnapshot,
  type TransactionOptions,
  type TransactionWork,
} from '@leasehold/core'
import { Client as PgClient, Pool as PgPool } from 'pg'
import type * as pg from 'pg'
import { makeDriver } from '../driver/pg-driver.js'
import { refuseNative, type ClientClass } from '../driver/refuse-native.js'
import { loneHandle } from '../handle/lone-handle.js'
import { acquireOwnDial } from './acquire-own-dial.js'
import { ClientViews } from './client-views.js'
import { emitSafely } from './emit-safely.js'
import { facadeError } from './facade-error.js'
import { failureFor } from './failure-for.js'
import { FacadeEvents } from './facade-events.js'
import type { LeasedPgPoolOptions } from './facade-options.js'
import { type Asks, type ConnectCallback, Passage } from './passage.js'
import { prepareClient } from './prepare-client.js'
import { sortOptions } from './sort-options.js'
import { nextTick } from '../session/event-loop.js'

function isClosing({ state }: Pool<pg.Client>): boolean {
  return state === 'closing' || state === 'closed'
}

type Callback = (error?: unknown, ...results: unknown[]) => void

const NOBODY: never[] = []

/**
 * A `pg.Pool`, by `instanceof` and by behaviour, that stands on leases: for an ORM or anything else that takes one. What
 * it lends is fenced, what comes back is made clean, and inside a scope it follows the pool mode.
 *
 * Takes pg.Pool's options with pg.Pool's meanings, and Leasehold's own under `leasehold`.
 */
export class LeasedPgPool extends PgPool {
  static {
    // Drizzle knows a pool by its class's name, which a minifier would change.
    Object.defineProperty(this, 'name', { value: 'LeasedPgPool' })
    // On the prototype rather than declared in the class: its overloads, with all their `any`, stay those of @types/pg.
    Object.defineProperty(this.prototype, 'query', {
      value(this: LeasedPgPool, statement: unknown, values?: unknown, callback?: unknown): unknown {
        return this.#query(statement, values, callback)
      },
      writable: true,
      configurable: true,
    })
    // Fields in @types/pg, which accessors of the class could not override. pg-pool's constructor assigns them, which means
    // nothing here; so does its `end`.
    Object.defineProperty(this.prototype, 'ending', {
      get(this: LeasedPgPool): boolean {
        return #ends in this && (this.#ends !== undefined || isClosing(this.leases))
      },
      set(this: LeasedPgPool, value: boolean) {
        if (value && #ends in this) this.#ends ??= 'ending'
      },
      configurable: true,
    })
    Object.defineProperty(this.prototype, 'ended', {
      get(this: LeasedPgPool): boolean {
        return #ends in this && (this.#ends === 'ended' || this.leases.state === 'closed')
      },
      set() {},
      configurable: true,
    })
  }

  /** The pool below: acquire with deadlines and signals, snapshot, events (`leases.on`). */
  readonly leases: Pool<pg.Client>
  readonly #views: ClientViews
  readonly #isCompat: boolean
  declare readonly Promise: PromiseConstructorLike | undefined
  declare readonly log: (...messages: unknown[]) => void
  declare readonly Client: ClientClass
  /** Callers who were let in and wait for a connection. */
  #waiting = 0
  /** Set by its own `end` and `close`; whoever closes `leases`, as bindings do, ends it too. */
  #ends: 'ending' | 'ended' | undefined
  #whenServed: (() => void) | undefined
  readonly #passage = new Passage((asks, serve, refuse) => this.#borrow(asks, serve, refuse), TO_CONNECT)

  /**
   * @param Client the class of the clients, unless the options name one; pg.Pool itself takes its own.
   * @throws {InvalidOptionsError} naming all that is wrong with the options.
   */
  constructor(options?: LeasedPgPoolOptions, Client?: ClientClass) {
    const { pool, isCompat, connection, idleFloor, ...driverOptions } = sortOptions(options)
    super(options)
    const chosen = (options?.Client as ClientClass | undefined) ?? Client ?? PgClient
    refuseNative(chosen)
    const events = new FacadeEvents(this, idleFloor)
    const driver = makeDriver({
      config: connection,
      Client: chosen,
      prepare: prepareClient(options ?? {}),
      events,
      ...driverOptions,
      lendsBareClients: isCompat,
    })
    this.Client = chosen
    this.leases = createPool(driver, pool)
    this.#isCompat = isCompat
    this.#views = new ClientViews(this.leases)
    events.start(this.#views)
  }

  /** Lends a client, with `release` on it. @see pg.Pool.connect */
  override connect(): Promise<pg.PoolClient>
  override connect(callback: ConnectCallback): void
  override connect(callback?: ConnectCallback): Promise<pg.PoolClient> | void {
    // pg-pool's own `query` asks, which needs nothing else.
    if (callback !== undefined && this.#passage.isTaken) return void this.#connect(callback)
    const borrowed = new Promise<pg.PoolClient>((resolve) => {
      const answer: ConnectCallback = (error, client) =>
        resolve(error ? failureFor(error, this.#isCompat) : (client as pg.PoolClient))
      this.#passage.through(TO_CONNECT, resolve, () => this.#connect(answer))
    })
    if (callback === undefined) return this.#promised(borrowed)
    const bound = bindToContext(callback)
    borrowed.then(
      (client) => nextTick(bound, undefined, client, client.release.bind(client)),
      (error: unknown) => nextTick(bound, error as Error, undefined, () => {}),
    )
  }

  /** Lends no more, and resolves when all is given back and closed. @see pg.Pool.end */
  override end(): Promise<void>
  override end(callback: () => void): void
  override end(callback?: (error?: Error) => void): Promise<void> | void {
    const ended = this.#end()
    if (callback === undefined) return this.#promised(ended)
    const bound = bindToContext(callback)
    ended.then(
      () => nextTick(bound),
      (error: Error) => nextTick(bound, error),
    )
  }

  /** Whether the physical clients themselves are lent, as pg-pool does: with `compat: 'pg-pool'`. */
  get lendsBareClients(): boolean {
    return this.#isCompat
  }

  /** @see Pool.acquire */
  acquire(request?: AcquireRequest): Promise<Lease<pg.Client>> {
    return this.leases.acquire(request)
  }

  /** @see Pool.use */
  use<R>(
    work: (client: pg.Client, lease: Lease<pg.Client>) => R | PromiseLike<R>,
    request?: AcquireRequest,
  ): Promise<Awaited<R>> {
    return this.leases.use(work, request)
  }

  /** @see Pool.transaction */
  transaction<R>(work: TransactionWork<pg.Client, R>, options?: TransactionOptions): Promise<Awaited<R>> {
    return this.leases.transaction(work, options)
  }

  /** @see Pool.snapshot */
  snapshot(): PoolSnapshot {
    return this.leases.snapshot()
  }

  /** @see Pool.pause */
  pause(): void {
    this.leases.pause()
  }

  /** @see Pool.resume */
  resume(): void {
    this.leases.resume()
  }

  /** @see Pool.reconnect */
  reconnect(): void {
    this.leases.reconnect()
  }

  /** @see Pool.forceBreaker */
  forceBreaker(to: 'open' | 'closed' | 'automatic'): void {
    this.leases.forceBreaker(to)
  }

  /** @see Pool.resize */
  resize(max: number): void {
    this.leases.resize(max)
    this.options.max = max
  }

  /** @see Pool.ready */
  ready(): Promise<void> {
    return this.leases.ready()
  }

  /** Ends the pool with a deadline for what is still lent; `end` waits for ever. @see Pool.close */
  async close(options?: CloseOptions): Promise<void> {
    this.#ends ??= 'ending'
    await this.leases.close(options)
    this.#ends = 'ended'
  }

  // pg-pool's own lists, for its getters: `totalCount`, `idleCount`, `waitingCount`, `expiredCount`. Its constructor
  // assigns them, which means nothing here.
  get _clients(): pg.Client[] {
    return #views in this ? this.#views.clients : []
  }

  set _clients(_of: unknown) {}

  get _idle(): Array<{ readonly client: pg.Client }> {
    if (#views in this && this.#passage.takesNoIdle()) return NOBODY
    return #views in this ? this.#views.idle : []
  }

  set _idle(_of: unknown) {}

  get _pendingQueue(): object[] {
    return #views in this ? this.#views.waiting : []
  }

  set _pendingQueue(_of: unknown) {}

  get _expired(): { has(client: pg.Client): boolean } {
    return { has: (client) => #views in this && this.#views.isExpired(client) }
  }

  set _expired(_of: unknown) {}

  // What pg-pool's own methods call on. @see Passage
  newClient({ callback }: { readonly callback: ConnectCallback }): void {
    this.#passage.end(callback)
  }

  _isFull(): boolean {
    this.#passage.looksForRoom()
    return false
  }

  _pulseQueue(): void {}

  /** By way of pg-pool's own, which tells of an end in other words than ours. */
  #connect(callback: ConnectCallback): unknown {
    if (this.ending) return this.#passage.end(callback)
    return super.connect(callback)
  }

  /** Lends a client to `serve`, in the context of who calls this; tells `refuse` why it cannot. */
  #borrow(asks: Asks, serve: (client: pg.PoolClient) => void, refuse: (error: unknown) => void): void {
    if (this.#ends !== undefined) {
      const cause = new PoolClosedError(this.leases.name)
      refuse(new Error('Cannot use a pool after calling end on the pool', { cause }))
      return
    }
    this.#waiting += 1
    acquireOwnDial(
      this.leases,
      asks.request,
      (lease) => {
        this.#served()
        const client = lease.client as pg.PoolClient
        emitSafely(this, 'acquire', client)
        serve(asks.isLone && !this.#isCompat ? loneHandle(client, this.leases.options.observe) : client)
      },
      (error) => {
        this.#served()
        // In pg-pool's words, for who stands in between.
        refuse(facadeError(error, this.#isCompat))
      },
      asks.entry,
    )
  }

  #served(): void {
    this.#waiting -= 1
    if (this.#waiting === 0) this.#whenServed?.()
  }

  #query(statement: unknown, values: unknown, callback: unknown): unknown {
    const called = (typeof values === 'function' ? values : callback) as Callback | undefined
    const parameters = typeof values === 'function' ? undefined : values
    const answered =
      typeof statement === 'function'
        ? Promise.reject(new Error('Passing a function as the first parameter to pool.query is not supported'))
        : this.#run(statement, parameters)
    const answers = typeof statement === 'function' && called === undefined ? (statement as Callback) : called
    if (answers === undefined) return this.#promised(answered)
    const bound = bindToContext(answers)
    answered.then(
      (result) => nextTick(bound, undefined, result),
      (error: unknown) => nextTick(bound, error),
    )
    return undefined
  }

  /** By way of pg-pool's own, which takes a client for it and gives it back. */
  #run(statement: unknown, values: unknown): Promise<unknown> {
    return new Promise((resolve) => {
      const answer: Callback = (error, result) => resolve(error ? failureFor(error, this.#isCompat) : result)
      const query = super.query as (...args: unknown[]) => unknown
      this.#passage.through(TO_QUERY, resolve, () => query.call(this, statement, values, answer))
    })
  }

  async #end(): Promise<void> {
    if (this.#ends !== undefined) throw new Error('Called end on pool more than once')
    // By way of pg-pool's own, which refuses where the pool below was closed.
    if (!this.ending) super.end(() => {})
    this.#ends = 'ending'
    // Whoever was let in before is still served.
    if (this.#waiting > 0) await new Promise<void>((resolve) => (this.#whenServed = resolve))
    await this.leases.close({ deadlineMs: Infinity })
    this.#ends = 'ended'
  }

  /** In the kind of promise that the options ask for. */
  #promised<T>(promise: Promise<T>): Promise<T> {
    const Chosen = this.Promise as PromiseConstructor | undefined
    if (Chosen === undefined || Chosen === Promise) return promise
    return new Chosen((resolve, reject) => void promise.then(resolve, reject))
  }
}

const TO_CONNECT: Asks = { request: undefined, entry: LeasedPgPool.prototype.connect, isLone: false }
const TO_QUERY: Asks = {
  // What it leaves on the session stays with the scope. Frozen, so that the pool checks it only once.
  request: Object.freeze({ statement: true }),
  entry: LeasedPgPool.prototype.query,
  isLone: true,
}
