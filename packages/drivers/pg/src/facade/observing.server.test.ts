import { usePostgres } from '@leasehold/testkit/postgres'
import { expect, test } from 'vitest'
import { usePools } from '../testing/leased-pool.js'

const database = usePostgres()
const poolOf = usePools(database)

test('a transaction left on an observing pool harms no more callers than on a pg-pool', async () => {
  const pool = poolOf({ max: 1, leasehold: { observe: true } })
  const would: string[] = []
  pool.leases.on('observe', ({ why }) => would.push(why))
  const client = await pool.connect()
  await client.query('begin')
  await client.query('select 1 / 0').catch(() => {})
  client.release()

  await expect(pool.query('select 1')).rejects.toMatchObject({ code: '25P02' })
  await expect(pool.query('select 2 as two')).resolves.toMatchObject({ rows: [{ two: 2 }] })
  expect(would[0]).toBe('transaction failed at release')
})
