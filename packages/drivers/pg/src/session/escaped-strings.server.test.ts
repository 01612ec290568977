import { usePostgres } from '@leasehold/testkit/postgres'
import { expect, test } from 'vitest'
import { createPgPool } from '../facade/create-pg-pool.js'

const database = usePostgres()

test('a session that escapes with backslashes in plain strings is read as its server reads it', async () => {
  const pool = createPgPool({
    connectionString: database.url,
    max: 1,
    options: '-c standard_conforming_strings=off -c escape_string_warning=off',
  })
  const lease = await pool.leases.acquire()
  const { rows } = await lease.client.query<{ text: string }>(`select 'it\\'; listen nothing; --' as text`)
  expect(rows).toEqual([{ text: `it'; listen nothing; --` }])
  expect(lease.pins).toEqual([])
  await lease.client.query(`select 'C:\\\\'; listen news; select '\\''`)
  expect(lease.pins).toMatchObject([{ kind: 'listen', name: 'news' }])
  lease.release()
  await pool.end()
})
