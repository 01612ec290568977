import { createPgPool, type LeasedPgPool } from '@leasehold/pg'
import { startPostgres } from '@leasehold/testkit/postgres'
import { createSchema } from './create-schema.js'
import type { StartService } from './service.js'
import type { Store } from './store.js'

/** Runs a service alone, until SIGINT or SIGTERM: `HOST` and `PORT` tell where it listens. */
export async function runService(start: StartService, openStore: (pool: LeasedPgPool) => Store): Promise<void> {
  // The server that DATABASE_URL names, or else one of its own that is gone when the service stops.
  const postgres = await startPostgres()
  const pool = createPgPool({ connectionString: postgres.url, max: 10, leasehold: { name: 'orders' } })
  const { HOST: host = '127.0.0.1', PORT: port = '3000' } = process.env
  try {
    await createSchema(pool)
    const service = await start({ pool, store: openStore(pool), host, port: Number(port), log: true })
    console.log(`listening on ${service.url}`)
    const signal = await new Promise<string>((resolve) => {
      // Once: who asks a second time does not want to wait.
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, resolve)
    })
    console.log(`${signal}: stopping`)
    await service.close() // requests finish, then the pool closes
  } finally {
    await pool.close({ deadlineMs: 0 })
    await postgres.stop()
  }
}
