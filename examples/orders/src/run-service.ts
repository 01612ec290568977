import { createPgPool, type LeasedPgPool } from '@leasehold/pg'
import { createSchema } from './create-schema.js'
import { runOnPostgres } from './run-on-postgres.js'
import type { StartService } from './service.js'
import type { Store } from './store.js'

/** Runs a service alone, until SIGINT or SIGTERM: `HOST` and `PORT` tell where it listens. */
export async function runService(start: StartService, openStore: (pool: LeasedPgPool) => Store): Promise<void> {
  await runOnPostgres(async ({ url, host, port }) => {
    const pool = createPgPool({ connectionString: url, max: 10, leasehold: { name: 'orders' } })
    try {
      await createSchema(pool)
      return await start({ pool, store: openStore(pool), host, port, log: true })
    } catch (error) {
      await pool.close({ deadlineMs: 0 })
      throw error
    }
  })
}
