import { createPgPool, type LeasedPgPool, type LeasedPgPoolOptions } from '@leasehold/pg'
import type { Knex } from 'knex'
import { createKnex } from './create-knex.js'

/** For tests: Knex on a pool of its own. */
export interface OpenedKnex {
  readonly pool: LeasedPgPool
  readonly db: Knex
  [Symbol.asyncDispose](): Promise<void>
}

/** Disposing of it says loudly if something was not given back. */
export function openKnex(url: string, options: LeasedPgPoolOptions = {}, config: Knex.Config = {}): OpenedKnex {
  const pool = createPgPool({ connectionString: url, ...options })
  const db = createKnex(pool, { log: { warn() {}, error() {} }, ...config })
  return {
    pool,
    db,
    async [Symbol.asyncDispose]() {
      await db.destroy()
      const held = pool.snapshot().holders
      await pool.close({ deadlineMs: 0 })
      if (held.length > 0) throw new Error(`still held: ${JSON.stringify(held)}`)
    },
  }
}
