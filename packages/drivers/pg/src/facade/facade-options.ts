import type { PoolOptions } from '@leasehold/core'
import type * as pg from 'pg'
import type { PgConnectionConfig } from '../driver/dial.js'
import type { Behind } from '../settings/behind.js'
import type { PreparedStatementsOptions } from '../prepared/prepared-statements-options.js'
import type { DeclaredFunctions } from '../sql/declared-functions.js'

/** What stands under `leasehold` in the options of a facade. */
export interface LeaseholdOptions extends PoolOptions<pg.Client> {
  /**
   * `pg-pool` takes over pg-pool's behaviour where it differs: `connect` lends the physical client itself, a second
   * release throws, `pool.query` closes the connection after a statement's error, `min` is not kept, and connections are
   * opened without a limit at once. Use after release then goes unnoticed.
   */
  readonly compat?: 'pg-pool' | undefined
  /** Asked for connection settings before each connection, over those given at the top: for credentials that change. */
  readonly connection?: (() => pg.ClientConfig | Promise<pg.ClientConfig>) | undefined
  /**
   * A statement of your own that cleans a session between two owners (`DISCARD ALL`), in place of the one that undoes just
   * what the last owner did. It is sent only where something is to be undone.
   */
  readonly resetStatement?: string | undefined
  /** What stands between the pool and the server. @see PgDriverOptions.behind */
  readonly behind?: Behind | undefined
  /** What functions of the database do to the session that calls them, where it is known better. @see PgDriverOptions.functions */
  readonly functions?: DeclaredFunctions | undefined
  /** Whether sessions keep the statements that come often. @see PgDriverOptions.preparedStatements */
  readonly preparedStatements?: boolean | PreparedStatementsOptions | undefined
}

/** The options of `pg.Pool`, and ours. */
export interface LeasedPgPoolOptions extends pg.PoolConfig {
  /** Runs on each new connection before anybody gets it, and is awaited. What it sets on the client stays there. */
  readonly onConnect?: ((client: pg.ClientBase) => unknown) | undefined
  readonly leasehold?: LeaseholdOptions | undefined
}

/** Options, sorted by whom they are for. */
export interface SortedOptions {
  readonly pool: PoolOptions<pg.Client>
  readonly isCompat: boolean
  readonly connection: PgConnectionConfig
  readonly resetStatement: string | undefined
  readonly behind: Behind | undefined
  readonly functions: DeclaredFunctions | undefined
  readonly preparedStatements: boolean | PreparedStatementsOptions | undefined
  /** In compat: how many connections the idle timeout leaves open, as pg-pool's `min` means. */
  readonly idleFloor: { readonly min: number; readonly idleTimeoutMs: number } | undefined
}
