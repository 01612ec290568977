// oxlint-disable no-underscore-dangle -- the names are Knex's
import { type EnterTransaction, isLeaseholdError, type OrmTransactionRequest, type Site } from '@leasehold/core'
import { pgDriver } from '@leasehold/pg'
import knex from 'knex'
import { answerInTime, type Patience } from './answer-in-time.js'
import type { ConnectionSetup } from './connection-setup.js'
import type { KnexConnection, PgClient, PgDialect, PgLease, PgLeases } from './knex-internals.js'
import { LeaseTimeoutError } from './lease-timeout-error.js'
import { RefusedConnectionsError } from './refused-connections-error.js'
import type { SearchPathSetting } from './search-path-setting.js'
import { type Validate, verdictOf } from './verdict-of.js'

/** Where a handle keeps its lease. */
const LEASE: unique symbol = Symbol('leasehold.knex.lease')

interface HeldConnection extends KnexConnection {
  [LEASE]?: PgLease
}

interface Wait {
  readonly timeoutMs: number | undefined
  readonly signal: AbortSignal | undefined
}

export interface LeasedConnectionsParts {
  readonly leases: PgLeases
  readonly setup: ConnectionSetup
  readonly searchPath: SearchPathSetting
  /** In place of the pool's own timeout. */
  readonly timeoutMs: number | undefined
  /** The user's check of a connection that is about to be used. */
  readonly validate: Validate | undefined
}

/**
 * The leases of a pool, shaped as Knex wants a pool: like tarn's. A class, because Knex copies plain objects deeply.
 *
 * What Knex notes on a connection stays on the handle of the lease, and goes with it.
 */
export class LeasedConnections {
  readonly #leases: PgLeases
  readonly #setup: ConnectionSetup
  readonly #searchPath: SearchPathSetting
  readonly #timeoutMs: number | undefined
  readonly #validate: LeasedConnectionsParts['validate']
  #dialect: PgDialect | undefined
  #site: Site | undefined

  constructor({ leases, setup, searchPath, timeoutMs, validate }: LeasedConnectionsParts) {
    this.#leases = leases
    this.#setup = setup
    this.#searchPath = searchPath
    this.#timeoutMs = timeoutMs
    this.#validate = validate
  }

  /** Knex's dialect, whose version and search path the connections get. */
  serve(dialect: PgDialect): void {
    this.#dialect = dialect
  }

  get name(): string {
    return this.#leases.name
  }

  /** How long a caller waits for a connection. */
  get timeoutMs(): number {
    return this.#timeoutMs ?? this.#leases.options.acquireTimeoutMs
  }

  /** Where the caller's own code asks for connections, if that was captured. */
  captureSite(below: (...args: never[]) => unknown): Site | undefined {
    return this.#leases.captureSite(below)
  }

  /** Runs `acquire`, which calls the method of that name before it returns, on behalf of `site`. */
  calledFrom<R>(site: Site, acquire: () => R): R {
    this.#site = site
    try {
      return acquire()
    } finally {
      this.#site = undefined
    }
  }

  /** @see Pool.ormTransaction */
  ormTransaction<R>(open: (enter: EnterTransaction) => R, request: OrmTransactionRequest): R | Promise<Awaited<R>> {
    return this.#leases.ormTransaction(open, request)
  }

  /** What Knex itself asks for. */
  take(signal?: AbortSignal): Promise<PgClient> {
    return this.#validate === undefined ? this.#take(this.#timeoutMs, signal) : this.#takeValid(this.#validate, signal)
  }

  /** What code that knows of tarn asks for, as health checks do: `abort` gives up waiting, and leaves nobody in the queue. */
  acquire(): { readonly promise: Promise<PgClient>; abort(): void } {
    const gone = new AbortController()
    return { promise: this.take(gone.signal), abort: () => gone.abort() }
  }

  /** Gives a connection back; false if it is back already, which Knex counts on: it releases failing streams twice. */
  release(connection: HeldConnection): boolean {
    const lease = connection[LEASE]
    if (lease?.active !== true) return false
    const disposed = connection.__knex__disposed
    // After a query's timeout Knex wants the connection closed because the query may still run on it. Released, it is
    // cancelled, and the connection kept.
    if (disposed === undefined || disposed instanceof knex.KnexTimeoutError) lease.release()
    else lease.discard(disposed)
    return true
  }

  /** Ends what runs on a connection, on the server. */
  async cancel(connection: HeldConnection): Promise<void> {
    const lease = connection[LEASE]
    // It was taken back meanwhile: whatever runs on it now is another owner's.
    if (lease?.active === false) return
    await pgDriver().cancel?.(connection as PgClient)
  }

  /** The pool is shared: it ends with its own `end()`. */
  async destroy(): Promise<void> {}

  /** What users of tarn look at; a pool that Knex has left is no longer to be met there. */
  get destroyed(): boolean {
    return false
  }

  numUsed(): number {
    const { lent, recycling, checking } = this.#leases.snapshot().connections
    return lent + recycling + checking
  }

  numFree(): number {
    return this.#leases.snapshot().connections.idle
  }

  numPendingAcquires(): number {
    return this.#leases.snapshot().waiting.count
  }

  numPendingCreates(): number {
    return this.#leases.snapshot().connections.opening
  }

  numPendingValidations(): number {
    return this.#leases.snapshot().connections.checking
  }

  get min(): number {
    return this.#leases.snapshot().min
  }

  get max(): number {
    return this.#leases.snapshot().max
  }

  async #takeValid(validate: Validate, signal: AbortSignal | undefined): Promise<PgClient> {
    const { clock } = this.#leases.options
    const deadlineAt = clock.now() + this.timeoutMs
    for (let refused = 0; ; refused += 1) {
      const connection: HeldConnection = await this.#takeAfter(refused, deadlineAt - clock.now(), signal)
      const verdict = verdictOf(validate, connection as PgClient, (message) => this.#dialect?.logger.warn(message))
      const isValid =
        typeof verdict === 'boolean' ? verdict : await this.#inTime(verdict, connection, { deadlineAt, signal })
      if (isValid) return connection as PgClient
      connection[LEASE]?.discard('pool.validate of Knex refused it')
    }
  }

  /** One more connection, after so many that were refused; in the time that is left. */
  async #takeAfter(refused: number, timeoutMs: number, signal: AbortSignal | undefined): Promise<PgClient> {
    if (refused === 0) return this.#take(timeoutMs, signal)
    const facts = { pool: this.name, refused, waitedMs: this.timeoutMs }
    if (timeoutMs <= 0) throw this.#toldOf(new RefusedConnectionsError(facts))
    try {
      return await this.#take(timeoutMs, signal)
    } catch (error) {
      if (!(error instanceof LeaseTimeoutError)) throw error
      throw new LeaseTimeoutError(new RefusedConnectionsError({ ...facts, cause: error.cause }))
    }
  }

  async #inTime(verdict: Promise<boolean>, connection: HeldConnection, patience: Patience): Promise<boolean> {
    try {
      return await answerInTime(this.#leases, 'pool.validate of Knex', verdict, patience)
    } catch (error) {
      // A caller that left has no fault to find with the connection; a hook that does not answer may hang on it.
      if (isGone(error)) connection[LEASE]?.release()
      else connection[LEASE]?.discard(error)
      throw this.#toldOf(error)
    }
  }

  /** With one promise: each more is felt in the throughput of Knex. */
  #take(timeoutMs: number | undefined, signal: AbortSignal | undefined): Promise<PgClient> {
    const settings = this.#searchPath.declaredBy(this.#dialect)
    const request = { timeoutMs, signal, site: this.#site, statement: true, defaultSettings: settings }
    return new Promise((resolve, reject) => {
      const serve = (lease: PgLease): void => {
        try {
          resolve(this.#dressed(lease, settings !== undefined, request))
        } catch (error) {
          lease.discard(error)
          reject(error)
        }
      }
      this.#leases.acquireThen(request, serve, (error) => reject(this.#toldOf(error)))
    })
  }

  /**
   * A timeout is told in Knex's own class. Knex warns of each connection that it does not get, stack and all; that a caller
   * has gone is no news.
   */
  #toldOf(error: unknown): unknown {
    const isTimeout = isLeaseholdError(error) && error.code === 'LEASEHOLD_ACQUIRE_TIMEOUT'
    const told = isTimeout ? new LeaseTimeoutError(error) : error
    if (!isGone(told)) this.#dialect?.logger.warn(`Acquire connection error: ${String(told)}`)
    return told
  }

  /** Makes of a lease the connection that Knex wants. */
  #dressed(lease: PgLease, declaresPath: boolean, wait: Wait): PgClient | Promise<PgClient> {
    const connection: HeldConnection = lease.client
    prepareHandles(connection)
    connection[LEASE] = lease
    connection.__knexUid = `__knexUid${lease.connectionId}`
    // A handle has none of it; but a pool that is compatible to pg-pool lends the client itself, again and again.
    if (Object.hasOwn(connection, '__knex__disposed')) delete connection.__knex__disposed
    const dialect = this.#dialect
    if (dialect === undefined || this.#setup.isDone(lease, dialect, declaresPath)) return lease.client
    const done = this.#setup.run(lease, connection, dialect, declaresPath)
    return this.#setUp(lease, done, wait)
  }

  /** A caller waits for the making of a connection as long again as for the connection. */
  async #setUp(lease: PgLease, done: Promise<void>, { timeoutMs = this.timeoutMs, signal }: Wait): Promise<PgClient> {
    const patience = { deadlineAt: this.#leases.options.clock.now() + timeoutMs, signal }
    try {
      await answerInTime(this.#leases, 'afterCreate, or what Knex asks a new connection,', done, patience)
    } catch (error) {
      lease.discard(error)
      throw isLeaseholdError(error) ? this.#toldOf(error) : error
    }
    return lease.client
  }
}

/** What the handles of a connection have in common: prepared once for each connection. */
const prepared = new WeakSet<object>()

/**
 * Makes room for what Knex notes on a handle, on what the handles of its connection have in common. Otherwise each note,
 * and each look for one, would go all the way to the physical client (2 µs a query, by a profile).
 */
function prepareHandles(connection: HeldConnection): void {
  const common = Object.getPrototypeOf(connection) as { readonly constructor: { readonly prototype: unknown } }
  if (prepared.has(common)) return
  // A pool that is compatible to pg-pool lends the client itself, and its prototype is everybody's.
  if (common.constructor.prototype === common) return
  prepared.add(common)
  for (const name of [LEASE, '__knexUid', '__knexTxId', '__knex__disposed']) {
    Object.defineProperty(common, name, { value: undefined, writable: true, configurable: true })
  }
}

/** Whether the caller itself, or its scope, has stopped waiting. */
function isGone(error: unknown): boolean {
  return isLeaseholdError(error) && ['LEASEHOLD_SCOPE_CLOSED', 'LEASEHOLD_ABORTED'].includes(error.code)
}

/** The connections below a dialect, or below the client of a transaction. */
export function connectionsOf(dialect: PgDialect): LeasedConnections {
  return dialect.config.connectionPool as LeasedConnections
}
