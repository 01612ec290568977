import { usePostgres } from '@leasehold/testkit/postgres'
import { afterAll, expect, test } from 'vitest'
import { createPgPool } from '../facade/create-pg-pool.js'
import { readStatement } from './read-statement.js'
import { readStrictly } from './read-strictly.js'
import { sharedReadings } from './shared-readings.js'

const database = usePostgres()
afterAll(() => sharedReadings.use(readStatement))

test('a strict service takes no statement for harmless that the parser reads otherwise', async () => {
  const pool = createPgPool({ connectionString: database.url, max: 1 })
  await pool.query(
    `create function columns(n int) returns text language sql as $$ select set_config('a.b', '1', false) $$`,
  )
  await readStrictly()
  const lease = await pool.leases.acquire()
  await lease.client.query('select columns(1)')
  expect(lease.pins).toMatchObject([{ kind: 'unknown' }])
  lease.release()
  const { rows } = await pool.query(`select nullif(current_setting('a.b', true), '') as left`)
  expect(rows).toEqual([{ left: null }])
  await pool.end()
})
