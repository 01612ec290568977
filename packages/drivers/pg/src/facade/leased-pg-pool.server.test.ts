import { runInScope } from '@leasehold/core'
import { usePostgres } from '@leasehold/testkit/postgres'
import { refuseUnhandledErrors } from '@leasehold/testkit/unhandled'
import { Pool } from 'pg'
import type * as pg from 'pg'
import { expect, test, vi } from 'vitest'
import { backendIn, backendOf } from '../testing/backend.js'
import { usePools } from '../testing/leased-pool.js'

const database = usePostgres()
const poolOf = usePools(database)
refuseUnhandledErrors()

test('it is a pg.Pool, by class and by name', () => {
  const pool = poolOf({ max: 3 })
  expect(pool).toBeInstanceOf(Pool)
  expect(pool.constructor.name).toBe('LeasedPgPool')
  expect(pool.options).toMatchObject({ max: 3, idleTimeoutMillis: 10_000 })
})

test('all forms of query and connect answer as those of pg.Pool do', async () => {
  const pool = poolOf()
  expect((await pool.query('select 1 as n')).rows).toEqual([{ n: 1 }])
  expect((await pool.query('select $1::int as n', [2])).rows).toEqual([{ n: 2 }])
  expect((await pool.query({ text: 'select $1::int as n', values: [3] })).rows).toEqual([{ n: 3 }])
  expect((await pool.query({ text: 'select 4', rowMode: 'array' })).rows).toEqual([[4]])
  const called = vi.fn<(...args: unknown[]) => void>()
  expect(pool.query('select 5 as n', called)).toBeUndefined()
  expect(pool.query('select $1::int as n', [6], called)).toBeUndefined()
  expect(pool.query('nonsense', called)).toBeUndefined()
  await vi.waitFor(() => expect(called).toHaveBeenCalledTimes(3))
  expect(called.mock.calls).toContainEqual([undefined, expect.objectContaining({ rows: [{ n: 5 }] })])
  expect(called.mock.calls).toContainEqual([undefined, expect.objectContaining({ rows: [{ n: 6 }] })])
  expect(called.mock.calls).toContainEqual([expect.objectContaining({ code: '42601' })])
  const connected = vi.fn<(error?: Error, client?: pg.PoolClient, release?: () => void) => void>(
    (_error, _client, release) => release?.(),
  )
  expect(pool.connect(connected)).toBeUndefined()
  expect(connected).not.toHaveBeenCalled()
  await vi.waitFor(() => expect(connected).toHaveBeenCalledOnce())
  await vi.waitFor(() => expect(pool.idleCount).toBe(pool.totalCount))
  await expect(pool.query(null as unknown as string)).rejects.toThrow('null or undefined query')
  await expect(new Promise((_resolve, reject) => void pool.query(reject as unknown as string))).rejects.toThrow(
    'Passing a function as the first parameter to pool.query is not supported',
  )
})

test('counters are right within the very call', async () => {
  const pool = poolOf({ max: 1 })
  const first = pool.connect()
  expect([pool.totalCount, pool.idleCount, pool.waitingCount, pool.expiredCount]).toEqual([1, 0, 0, 0])
  const client = await first
  const [second, third] = [pool.connect(), pool.query('select 1')]
  expect([pool.totalCount, pool.idleCount, pool.waitingCount]).toEqual([1, 0, 2])
  client.release()
  expect(pool.waitingCount).toBe(1)
  ;(await second).release()
  await third
  expect([pool.totalCount, pool.idleCount, pool.waitingCount]).toEqual([1, 1, 0])
  ;(await pool.connect()).release(true)
  expect([pool.totalCount, pool.idleCount]).toEqual([0, 0])
  expect(pool.snapshot().connections.closing).toBe(1)
})

test('events come in pg-pool’s order, with its arguments', async () => {
  const pool = poolOf({ max: 1 })
  const told: unknown[][] = []
  for (const event of ['connect', 'acquire', 'release', 'remove', 'error'] as const) {
    pool.on(event, (...args: unknown[]) => void told.push([event, ...args]))
  }
  const first = await pool.connect()
  first.release()
  const second = await pool.connect()
  const error = new Error('to be closed')
  second.release(error)
  await vi.waitFor(() => expect(told.at(-1)?.[0]).toBe('remove'))
  expect(told).toEqual([
    ['connect', first],
    ['acquire', first],
    ['release', undefined, first],
    ['acquire', second],
    ['release', error, second],
    ['remove', second],
  ])
  expect(told[0]?.[1]).toBe(first)
  expect(told[5]?.[1]).toBe(second)
})

test('what a connect listener asks for runs before its first owner’s statements', async () => {
  const pool = poolOf({ max: 1 })
  pool.on('connect', (client) => void client.query("set application_name to 'set up'"))
  const name = 'select current_setting($1) as name'
  expect((await pool.query(name, ['application_name'])).rows).toEqual([{ name: 'set up' }])
})

test('a lease in a scope follows the pool mode', async () => {
  const pool = poolOf({ max: 3 })
  await runInScope({ label: 'one session', mode: 'session' }, async () => {
    const client = await pool.connect()
    expect(await backendIn(pool)).toBe(backendOf(client))
    expect(pool.snapshot().connections.lent).toBe(1)
    client.release()
    expect(await backendIn(pool)).toBe(backendOf(client))
  })
  expect(pool.snapshot().connections.lent).toBe(0)
  await runInScope({ label: 'a lease a statement', mode: 'transaction' }, async () => {
    const client = await pool.connect()
    expect(await backendIn(pool)).not.toBe(backendOf(client))
  })
  await vi.waitFor(() => expect(pool.snapshot().connections.lent).toBe(0))
})

test('the facade has the pool below, and its ways', async () => {
  const pool = poolOf({ max: 1, leasehold: { name: 'orders' } })
  const acquired = vi.fn<(...args: unknown[]) => void>()
  pool.leases.on('acquire', acquired)
  expect(await pool.use(async (client) => (await client.query('select 1 as n')).rows)).toEqual([{ n: 1 }])
  expect(acquired).toHaveBeenCalledOnce()
  const lease = await pool.acquire({ label: 'me' })
  expect(pool.snapshot()).toMatchObject({ name: 'orders', holders: [{ label: 'me' }] })
  lease.release()
  pool.pause()
  const waiting = pool.query('select 1')
  expect(pool.waitingCount).toBe(1)
  pool.resume()
  await waiting
  pool.resize(4)
  expect(pool.options.max).toBe(4)
  expect(pool.snapshot().max).toBe(4)
})

test('no report shows a statement’s literals', async () => {
  const pool = poolOf({ max: 1 })
  const client = await pool.connect()
  await client.query("select 'a secret', $1::text", ['another'])
  expect(pool.snapshot().holders[0]?.statement).toBe('select ?, $1::text')
  await client.query({ name: 'named', text: "select 'a secret', $1::text", values: ['x'] })
  await client.query('select 5')
  await client.query({ name: 'named', text: "select 'a secret', $1::text", values: ['x'] })
  expect(pool.snapshot().holders[0]?.statement).toBe('select ?, $1::text')
})

test('a sample of queries is named by the line that asked', async () => {
  const pool = poolOf({ max: 1, leasehold: { captureSites: 'adaptive' } })
  const sites = new Set<string | undefined>()
  pool.on('acquire', () => void sites.add(pool.snapshot().holders[0]?.site))
  for (let query = 0; query < 128; query += 1) await pool.query('select 1')
  sites.delete(undefined)
  expect([...sites]).toEqual([expect.stringContaining('leased-pg-pool.server.test.ts')])
})
