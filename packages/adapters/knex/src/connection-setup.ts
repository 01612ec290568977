import type { KnexConnection, PgClient, PgDialect, PgLease, PgLeases } from './knex-internals.js'
import { SearchPaths } from './search-paths.js'

/** The user's hook for a new connection, as Knex calls it. */
export type AfterCreate = (connection: PgClient, done: (error?: Error | null) => void) => unknown

/**
 * What Knex does with a connection of its own before it first uses it: learn the server's version, set the search path,
 * call `afterCreate`. Here a connection is new to one Knex when that meets it first, whoever had it before.
 */
export class ConnectionSetup {
  readonly #leases: PgLeases
  readonly #searchPaths: SearchPaths
  readonly #afterCreate: AfterCreate | undefined
  /** By connection: done, or under way for leases that share it. */
  readonly #created = new Map<number, true | Promise<void>>()

  constructor(leases: PgLeases, afterCreate: AfterCreate | undefined) {
    this.#leases = leases
    this.#searchPaths = SearchPaths.of(leases)
    this.#afterCreate = afterCreate
    if (afterCreate !== undefined) leases.on('close', ({ connection }) => this.#created.delete(connection))
  }

  /** Whether nothing is left to do. @param declaresPath the lease has the search path as a setting. */
  isDone(lease: PgLease, dialect: PgDialect, declaresPath: boolean): boolean {
    return (
      dialect.version !== undefined &&
      (declaresPath || this.#searchPaths.isRight(lease, dialect)) &&
      (this.#afterCreate === undefined || this.#created.get(lease.connectionId) === true)
    )
  }

  async run(lease: PgLease, connection: KnexConnection, dialect: PgDialect, declaresPath: boolean): Promise<void> {
    dialect.version ??= await dialect.checkVersion(connection)
    if (!declaresPath && !this.#searchPaths.isRight(lease, dialect)) {
      // Over it stands what the lease's owner declares.
      await lease.withoutSettings(() => this.#searchPaths.makeRight(this.#leases, lease, connection, dialect))
    }
    if (this.#afterCreate === undefined) return
    const { connectionId } = lease
    const created = this.#created.get(connectionId) ?? this.#create(lease, this.#afterCreate)
    if (created !== true) await created
  }

  #create(lease: PgLease, afterCreate: AfterCreate): Promise<void> {
    const { connectionId } = lease
    const hook = (): Promise<void> =>
      new Promise((resolve, reject) => {
        afterCreate(lease.client, (error) => {
          if (error === undefined || error === null) resolve()
          else reject(error)
        })
      })
    // What the hook sets belongs to the connection, and outlives this lease.
    const creating = lease.prepare(hook).then(() => void this.#created.set(connectionId, true))
    this.#created.set(connectionId, creating)
    return creating
  }
}
