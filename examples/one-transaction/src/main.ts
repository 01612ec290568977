import { createSchema } from '@leasehold/example-orders'
import { createPgPool } from '@leasehold/pg'
import { startPostgres } from '@leasehold/testkit/postgres'
import { openWays } from './open-ways.js'
import { showOneTransaction } from './show-one-transaction.js'

// On the server that DATABASE_URL names, or one of its own that goes with it.
const postgres = await startPostgres()
const pool = createPgPool({ connectionString: postgres.url, max: 2 })
try {
  await createSchema(pool)
  for (const wrong of await showOneTransaction(pool, openWays(pool), console.log)) {
    console.error(`WRONG: ${wrong}`)
    process.exitCode = 1
  }
} finally {
  await pool.close()
  await postgres.stop()
}
