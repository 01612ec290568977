import { createPgPool } from '@leasehold/pg'
import { startPostgres } from '@leasehold/testkit/postgres'
import { buildApp } from './app.js'
import { createSchema } from './create-schema.js'

// So that it runs alone: the server that DATABASE_URL names, or else one of its own that is gone when it stops.
const postgres = await startPostgres()
const pool = createPgPool({ connectionString: postgres.url, max: 10, leasehold: { name: 'orders' } })
const { app, knex } = await buildApp({ pool, logger: true })

async function stop(): Promise<void> {
  await app.close() // requests finish, then the pool closes
  await postgres.stop()
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // Once: who asks a second time does not want to wait.
  process.once(signal, () => {
    app.log.info(`${signal}: stopping`)
    stop().catch((error: unknown) => {
      app.log.error(error)
      process.exitCode = 1
    })
  })
}

try {
  await createSchema(knex)
  await app.listen({ host: process.env['HOST'] ?? '127.0.0.1', port: Number(process.env['PORT'] ?? 3000) })
} catch (error) {
  app.log.error(error)
  process.exitCode = 1
  await stop()
}
