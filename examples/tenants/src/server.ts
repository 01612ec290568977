import { runOnPostgres } from '@leasehold/example-orders'
import { createNotes } from './create-notes.js'
import { openPool } from './open-pool.js'
import { startTenants } from './start-tenants.js'

await runOnPostgres(async ({ url, ...where }) => {
  await createNotes(url)
  return startTenants({ pool: openPool(url), ...where, log: true })
})
