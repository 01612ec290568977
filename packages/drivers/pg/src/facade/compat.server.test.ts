import { usePostgres } from '@leasehold/testkit/postgres'
import { refuseUnhandledErrors } from '@leasehold/testkit/unhandled'
import { expect, test, vi } from 'vitest'
import { usePools } from '../testing/leased-pool.js'

const database = usePostgres()
const poolOf = usePools(database)
refuseUnhandledErrors()

test('with compat: the same client from lease to lease, a throw at the second release, and none kept after an error', async () => {
  const pool = poolOf({ max: 1, leasehold: { compat: 'pg-pool' } })
  const one = await pool.connect()
  one.release()
  expect(() => one.release()).toThrow('Release called on client which has already been released to the pool.')
  const two = await pool.connect()
  expect(two).toBe(one)
  two.release()
  await expect(pool.query('nonsense')).rejects.toMatchObject({ code: '42601' })
  expect(pool.totalCount).toBe(0)
})

test('with compat: what an owner leaves is cleaned away all the same', async () => {
  const pool = poolOf({ max: 1, leasehold: { compat: 'pg-pool' } })
  const client = await pool.connect()
  await client.query('begin')
  client.release()
  const next = await pool.connect()
  expect(next.getTransactionStatus()).toBe('I')
})

test('with compat: min is where the idle timeout stops', async () => {
  const pool = poolOf({ max: 3, min: 1, idleTimeoutMillis: 15, leasehold: { compat: 'pg-pool' } })
  const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()])
  for (const client of clients) client.release()
  expect(pool.idleCount).toBe(3)
  await vi.waitFor(() => expect(pool.idleCount).toBe(1))
  await new Promise((resolve) => setTimeout(resolve, 40))
  expect(pool.idleCount).toBe(1)
})

test('with compat: a timeout says pg-pool’s words and no more, as pg-query-stream’s suite compares them', async () => {
  const pool = poolOf({ max: 1, connectionTimeoutMillis: 1_000, leasehold: { compat: 'pg-pool' } })
  const client = await pool.connect()
  await expect(pool.query('select 1')).rejects.toMatchObject({
    message: 'timeout exceeded when trying to connect',
    code: 'LEASEHOLD_ACQUIRE_TIMEOUT',
    cause: { message: expect.stringContaining('no connection of pool') as string },
  })
  client.release()
})
