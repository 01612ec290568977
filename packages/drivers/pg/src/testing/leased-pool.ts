import { afterEach } from 'vitest'
import { createPgPool } from '../facade/create-pg-pool.js'
import type { LeasedPgPoolOptions } from '../facade/facade-options.js'
import type { LeasedPgPool } from '../facade/leased-pg-pool.js'

/** Makes pools for tests, on the database of the test file, and closes them after each test. */
export function usePools(database: { readonly url: string }): (options?: LeasedPgPoolOptions) => LeasedPgPool {
  const pools: LeasedPgPool[] = []
  afterEach(async () => {
    await Promise.all(pools.splice(0).map((pool) => pool.close({ deadlineMs: 200 })))
  })
  return (options = {}) => {
    const pool = createPgPool({ connectionString: database.url, ...options })
    pools.push(pool)
    return pool
  }
}
