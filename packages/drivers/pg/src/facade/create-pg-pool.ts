import type { LeasedPgPoolOptions } from './facade-options.js'
import { LeasedPgPool } from './leased-pg-pool.js'

/**
 * Makes a `pg.Pool` that stands on leases.
 *
 * @throws {InvalidOptionsError} naming all that is wrong with the options.
 */
export function createPgPool(options?: LeasedPgPoolOptions): LeasedPgPool {
  return new LeasedPgPool(options)
}
