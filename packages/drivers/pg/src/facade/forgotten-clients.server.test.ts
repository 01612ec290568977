import { collectGarbage } from '@leasehold/testkit'
import { usePostgres } from '@leasehold/testkit/postgres'
import { expect, test, vi } from 'vitest'
import { backendOf } from '../testing/backend.js'
import { usePools } from '../testing/leased-pool.js'
import type { LeasedPgPool } from './leased-pg-pool.js'

const database = usePostgres()
const openPool = usePools(database)

/** A lease is followed when it is a second old. */
const FOLLOWED = { timeout: 5_000, interval: 100 }

async function untilForgotten(pool: LeasedPgPool): Promise<void> {
  await vi.waitFor(async () => {
    await collectGarbage()
    expect(pool.snapshot()).toMatchObject({ connections: { lent: 0, recycling: 0 } })
  }, FOLLOWED)
  expect(pool.snapshot().counts.leaks.forgotten).toBe(1)
}

test('a client of pool.connect that was forgotten in a transaction comes back, rolled back', async () => {
  const pool = openPool({ max: 1 })
  await pool.query('create table forgotten (n int)')
  await (async () => {
    const client = await pool.connect()
    await client.query('begin')
    await client.query('insert into forgotten values (1)')
  })()

  await untilForgotten(pool)

  expect((await pool.query('select * from forgotten')).rows).toEqual([])
})

test('a client that was forgotten by callback code comes back, whatever it listens for but notifications', async () => {
  const pool = openPool({ max: 1 })
  await new Promise<void>((resolve) => {
    pool.connect((_error, client) => {
      client?.on('error', () => client.release())
      client?.once('end', () => client.release())
      client?.query('select 1', () => resolve())
    })
  })
  await untilForgotten(pool)
})

test('a lease with a cursor that was left behind comes back', async () => {
  const { default: Cursor } = await import('pg-cursor')
  const pool = openPool({ max: 1 })
  await (async () => {
    const { client } = await pool.acquire()
    const cursor = client.query(new Cursor('select generate_series(1, 10)'))
    await cursor.read(1)
    await cursor.close()
  })()
  await untilForgotten(pool)
})

test('a client that listens for notifications is in use though nobody has it, and is told of them', async () => {
  const pool = openPool({ max: 2 })
  const told: Array<string | undefined> = []
  await (async () => {
    const client = await pool.connect()
    client.on('notification', ({ payload }) => told.push(payload))
    await client.query('listen news')
  })()
  const { lent } = pool.snapshot().connections
  await new Promise((resolve) => setTimeout(resolve, 1_100))
  await collectGarbage()

  await pool.query("select pg_notify('news', 'still here')")
  await vi.waitFor(() => expect(told).toEqual(['still here']))
  expect([lent, pool.snapshot().counts.leaks.forgotten]).toEqual([1, 0])
})

test('one that listened for notifications hears that its backend was killed, and comes back if nobody has it', async () => {
  const pool = openPool({ max: 2 })
  let ends = 0
  const pid = await (async () => {
    const client = await pool.connect()
    client.on('notification', () => {})
    client.on('end', () => (ends += 1))
    await client.query('listen news')
    return backendOf(client)
  })()
  await new Promise((resolve) => setTimeout(resolve, 1_100))
  await collectGarbage()

  await pool.query('select pg_terminate_backend($1)', [pid])
  await vi.waitFor(() => expect(ends).toBe(1))
  await untilForgotten(pool)
})

test('a client that is in use is never taken, however long it is held', async () => {
  const pool = openPool({ max: 1 })
  const client = await pool.connect()
  const pid = backendOf(client)
  await new Promise((resolve) => setTimeout(resolve, 1_100))
  await collectGarbage()
  expect(backendOf(client)).toBe(pid)
  client.release()
  expect(pool.snapshot().counts.leaks.forgotten).toBe(0)
})
