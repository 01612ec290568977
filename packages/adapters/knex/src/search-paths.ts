import type { KnexConnection, PgDialect, PgLease, PgLeases } from './knex-internals.js'

/** Set inside a transaction that somebody else has open, as can be in `session` mode: a rollback may undo it. */
const UNSURE: unique symbol = Symbol('the search path may be another one')

/**
 * Which search path Knex has set on which connection of one pool, so that it is set again only where another one is in
 * force. Kept per pool and not per Knex: several of them, each with a path of its own or with none, may share a pool.
 *
 * For sessions of which a lease cannot declare its own path: those that the leases of a scope share, and the bare clients
 * of a pool that is compatible to pg-pool.
 */
export class SearchPaths {
  static readonly #ofPools = new WeakMap<PgLeases, SearchPaths>()
  readonly #set = new Map<number, string | typeof UNSURE>()
  #forgetsClosed = false

  static of(leases: PgLeases): SearchPaths {
    const known = SearchPaths.#ofPools.get(leases)
    if (known !== undefined) return known
    const paths = new SearchPaths()
    SearchPaths.#ofPools.set(leases, paths)
    return paths
  }

  /** Whether the connection has the path already that `dialect` wants. */
  isRight(lease: PgLease, dialect: PgDialect): boolean {
    return this.#set.get(lease.connectionId) === wantedBy(dialect)
  }

  async makeRight(leases: PgLeases, lease: PgLease, connection: KnexConnection, dialect: PgDialect): Promise<void> {
    this.#forgetClosed(leases)
    const wanted = wantedBy(dialect)
    this.#set.set(lease.connectionId, UNSURE)
    if (wanted === undefined) await connection.query('RESET search_path')
    else await dialect.setSchemaSearchPath(connection)
    if ((connection.getTransactionStatus?.() ?? 'I') !== 'I') return
    if (wanted === undefined) this.#set.delete(lease.connectionId)
    else this.#set.set(lease.connectionId, wanted)
  }

  #forgetClosed(leases: PgLeases): void {
    if (this.#forgetsClosed) return
    this.#forgetsClosed = true
    leases.on('close', ({ connection }) => this.#set.delete(connection))
    // The path was one of the things that the last owner left.
    leases.on('reset', ({ connection }) => this.#set.delete(connection))
  }
}

function wantedBy({ searchPath }: PgDialect): string | undefined {
  return searchPath === undefined || typeof searchPath === 'string' ? searchPath : JSON.stringify(searchPath)
}
