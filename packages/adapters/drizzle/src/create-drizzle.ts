import type { LeasedPgPool } from '@leasehold/pg'
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import { npmVersion } from 'drizzle-orm/version'
import { drizzleOnLeases } from './drizzle-on-leases.js'
import type { DrizzleTables, LeasedDrizzleConfig, NoDrizzleTables } from './leased-drizzle-config.js'

/**
 * Drizzle on a pool of ours: the same Drizzle, whose connections are leases. The pool is shared and outlives it.
 *
 * `drizzle({ client: pool })` works as well, since the pool is a `pg.Pool`. What this adds: a transaction gives its
 * connection back even when BEGIN fails, its own error is not replaced by that of its ROLLBACK, and the lease of a query
 * is named by the line that made it.
 *
 * @param config what Drizzle takes, without a connection.
 * @throws {InvalidOptionsError} naming all that is wrong with `pool` and `config`; also for a Drizzle before 0.45.
 * @throws {PoolClosedError} when the pool is closed.
 */
export function createDrizzle<Tables extends DrizzleTables = NoDrizzleTables>(
  pool: LeasedPgPool,
  config: LeasedDrizzleConfig<Tables> = {},
): NodePgDatabase<Tables> & { $client: LeasedPgPool } {
  return drizzleOnLeases({ drizzle, npmVersion }, pool, config) as never
}
