import type { LeasedPgPool } from '@leasehold/pg'
import type { Knex } from 'knex'
import type { Duplex } from 'node:stream'

export type PgLeases = LeasedPgPool['leases']
export type PgLease = Awaited<ReturnType<PgLeases['acquire']>>
export type PgClient = PgLease['client']

/** What Knex notes on a connection that it holds. */
export interface KnexConnection extends Omit<PgClient, 'getTransactionStatus'> {
  __knexUid?: string
  __knexTxId?: string | undefined
  /** Why Knex wants the connection closed. */
  __knex__disposed?: unknown
  /** pg has it from 8.21 on. */
  getTransactionStatus?(): 'I' | 'T' | 'E' | null
}

export type TransactionContainer = (transaction: Knex.Transaction) => unknown

/** What Knex passes on of the options of a transaction. */
export interface TransactionConfig {
  readonly connection?: unknown
  readonly isolationLevel?: string
  readonly readOnly?: boolean
}

/** Runs one builder: Knex's own, unknown to its types. */
export interface Runner {
  readonly builder: object
  ensureConnection(callback: unknown, parameters?: unknown): Promise<unknown>
  stream(...args: unknown[]): Duplex | Promise<unknown>
}

export type RunnerClass = new (client: PgDialect, builder: unknown) => Runner

/** One statement, as Knex has compiled it. */
export interface Statement {
  readonly sql: string
}

/** Knex's dialect for PostgreSQL, as far as it is used here. Knex's types leave most of it out. */
export interface PgDialect {
  readonly config: Knex.Config
  readonly logger: { warn(message: string): void; error(message: string): void }
  readonly searchPath?: string | readonly string[]
  version?: string | undefined
  initializePool(config?: object): void
  initializeExternalPool(pool: unknown): void
  releaseConnection(connection: KnexConnection): Promise<void>
  cancelQuery(connection: KnexConnection): Promise<unknown>
  checkVersion(connection: KnexConnection): Promise<string>
  setSchemaSearchPath(connection: KnexConnection): Promise<unknown>
  transaction(container: TransactionContainer, config?: TransactionConfig, outer?: unknown): unknown
  runner(builder: unknown): Runner
  queryBuilder(): object
  schemaBuilder(): object
  raw(...args: unknown[]): object
  /** Undefined after `destroy()`. */
  readonly pool?: unknown
  acquireConnection(): Promise<KnexConnection>
  readonly transacting?: boolean
  _query(connection: KnexConnection, query: Statement): Promise<unknown>
  _stream(connection: KnexConnection, query: Statement, stream: Duplex, options: unknown): Promise<unknown>
}

export type PgDialectClass = new (config: Knex.Config) => PgDialect
