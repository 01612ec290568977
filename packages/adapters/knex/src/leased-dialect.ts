// oxlint-disable no-underscore-dangle -- the names are Knex's
import type { EnterTransaction, Site } from '@leasehold/core'
import type { Duplex } from 'node:stream'
import { builderSites } from './builder-sites.js'
import { guardedRunner } from './guarded-runner.js'
import type {
  KnexConnection,
  PgDialect,
  PgDialectClass,
  RunnerClass,
  Statement,
  TransactionConfig,
  TransactionContainer,
} from './knex-internals.js'
import { connectionsOf, type LeasedConnections } from './leased-connections.js'
import { modesOf } from './modes-of.js'
import { OpenStream } from './open-stream.js'

const DONE = Promise.resolve()

const leasedDialects = new WeakMap<PgDialectClass, PgDialectClass>()

/** The dialect `base`, on leases. */
export function leasedDialect(base: PgDialectClass): PgDialectClass {
  const known = leasedDialects.get(base)
  if (known !== undefined) return known
  const made = extendDialect(base)
  leasedDialects.set(base, made)
  return made
}

/**
 * Everything stands on the prototype and in no private field: Knex makes the clients of its transactions and copies with
 * `Object.create(client.constructor.prototype)`, and gives them the configuration.
 */
function extendDialect(base: PgDialectClass): PgDialectClass {
  let LeasedRunner: RunnerClass | undefined

  class LeasedDialect extends base {
    /** Knex passes what the caller of `knex.initialize()` passed, of which it would make a pool of its own. */
    override initializePool(): void {
      super.initializePool(this.config)
    }

    override initializeExternalPool(connections: LeasedConnections): void {
      super.initializeExternalPool(connections)
      connections.serve(this)
    }

    // What is on the way of every query does without an async function where it can: each costs one more promise, and
    // in a request a promise takes a third of a microsecond.
    override acquireConnection(): Promise<KnexConnection> {
      return this.pool === undefined ? super.acquireConnection() : connectionsOf(this).take()
    }

    /** Knex forgets its pool in `destroy()`, and could not give back what is still under way. */
    override releaseConnection(connection: KnexConnection): Promise<void> {
      connectionsOf(this).release(connection)
      return DONE
    }

    /** Knex would open a connection for this, and has no settings to open one with. */
    override async cancelQuery(connection: KnexConnection): Promise<void> {
      await connectionsOf(this).cancel(connection)
    }

    /**
     * Knex runs the container even when BEGIN failed: what that does on `knex` itself would be committed statement by
     * statement. And `await knex.transaction()` would get a transaction that never began.
     */
    override transaction(container: TransactionContainer, config?: TransactionConfig, outer?: unknown): unknown {
      const isNested = this.transacting === true
      const site = isNested ? undefined : connectionsOf(this).captureSite(this.transaction)
      const dialect = site === undefined ? this : inTheNameOf(site, this)
      const open = (enter: EnterTransaction): unknown =>
        super.transaction.call(
          dialect,
          (transaction) => (transaction.isCompleted() ? undefined : enter(() => container(transaction))),
          config,
          outer,
        )
      // What is done with a transaction that has no callback, or a connection of its own, cannot be told from the rest.
      if (isPromiseResolver(container) || config?.connection !== undefined) return open((callback) => callback())
      return connectionsOf(this).ormTransaction(open, { isNested, modes: modesOf(config) })
    }

    override queryBuilder(): object {
      return builderSites.note(super.queryBuilder(), connectionsOf(this).captureSite(this.queryBuilder))
    }

    override schemaBuilder(): object {
      return builderSites.note(super.schemaBuilder(), connectionsOf(this).captureSite(this.schemaBuilder))
    }

    override raw(...args: unknown[]): object {
      return builderSites.note(super.raw(...args), connectionsOf(this).captureSite(this.raw))
    }

    override runner(builder: unknown): ReturnType<PgDialect['runner']> {
      LeasedRunner ??= guardedRunner(super.runner(builder).constructor as RunnerClass)
      return new LeasedRunner(this, builder)
    }

    /** A statement behind a stream waits here and not in the driver, so that it can be given up. */
    override _query(connection: KnexConnection, query: Statement): Promise<unknown> {
      const open = OpenStream.on(connection)
      if (open === undefined) return super._query(connection, query)
      return open.turn(connectionsOf(this).timeoutMs).then(() => super._query(connection, query))
    }

    /**
     * Knex learns of the end of a stream from the server alone: of one that is destroyed before it has its connection,
     * or half read, it never hears again.
     */
    override async _stream(
      connection: KnexConnection,
      query: Statement,
      stream: Duplex,
      options: unknown,
    ): Promise<unknown> {
      let over: Promise<unknown>
      try {
        const open = OpenStream.on(connection)
        if (open !== undefined) await open.turn(connectionsOf(this).timeoutMs)
        if (stream.destroyed) return undefined
        over = Promise.race([super._stream(connection, query, stream, options), closed(stream)])
      } catch (error) {
        // Knex takes for granted that a stream with a connection has been told by the driver.
        stream.destroy(error as Error)
        throw error
      }
      void new OpenStream(connection, { pool: connectionsOf(this).name, statement: query.sql, stream, over })
      return over
    }
  }
  return LeasedDialect
}

/** The dialect, for one transaction: it acquires on behalf of `site`. */
function inTheNameOf(site: Site, dialect: PgDialect): PgDialect {
  const acquireConnection = (): Promise<KnexConnection> =>
    connectionsOf(dialect).calledFrom(site, () => dialect.acquireConnection())
  return Object.create(dialect, { acquireConnection: { value: acquireConnection } }) as PgDialect
}

function closed(stream: Duplex): Promise<void> {
  return new Promise((resolve) => stream.once('close', resolve))
}

/** `await knex.transaction()` gives Knex the resolver of its own promise as callback: the only one that is native and has no name. */
function isPromiseResolver(container: TransactionContainer): boolean {
  return container.name === '' && /\[native code\]/.test(Function.prototype.toString.call(container))
}
