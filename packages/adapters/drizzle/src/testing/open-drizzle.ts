import { createPgPool, type LeasedPgPool, type LeasedPgPoolOptions } from '@leasehold/pg'
import type { NodePgDatabase } from 'drizzle-orm/node-postgres'
import { drizzleOnLeases } from '../drizzle-on-leases.js'
import type { SupportedDrizzle } from './supported-drizzles.js'

export type TestDatabase = NodePgDatabase<SupportedDrizzle['config']['schema']>

/** For tests: Drizzle on a pool of its own. */
export interface OpenedDrizzle {
  readonly pool: LeasedPgPool
  readonly db: TestDatabase & { readonly $client: LeasedPgPool }
  [Symbol.asyncDispose](): Promise<void>
}

/** Disposing of it says loudly if something was not given back. */
export function openDrizzle(
  { library, config }: SupportedDrizzle,
  url: string,
  options: LeasedPgPoolOptions = {},
): OpenedDrizzle {
  const pool = createPgPool({ connectionString: url, ...options })
  return {
    pool,
    db: drizzleOnLeases(library, pool, config) as OpenedDrizzle['db'],
    async [Symbol.asyncDispose]() {
      const held = pool.snapshot().holders
      await pool.close({ deadlineMs: 0 })
      if (held.length > 0) throw new Error(`still held: ${JSON.stringify(held)}`)
    },
  }
}
