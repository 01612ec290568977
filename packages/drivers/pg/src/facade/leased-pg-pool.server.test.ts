import { once } from 'node:events'
import { createServer } from 'node:net'
import { findLeaseholdError, runInScope } from '@leasehold/core'
import { usePostgres } from '@leasehold/testkit/postgres'
import { Client, Pool } from 'pg'
import type pg from 'pg'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { backendOf, kill } from '../testing/backend.js'
import { usePools } from '../testing/leased-pool.js'
import { createPgPool } from './create-pg-pool.js'

const database = usePostgres()
const poolOf = usePools(database)
const unhandled = vi.fn<(...args: unknown[]) => void>()

beforeEach(() => {
  process.on('unhandledRejection', unhandled)
})

afterEach(() => {
  process.off('unhandledRejection', unhandled)
  if (unhandled.mock.calls.length > 0)
    throw new Error('a rejection was not handled', { cause: unhandled.mock.calls[0]?.[0] })
})

async function backendIn(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ backend: number }>('select pg_backend_pid() as backend')
  return rows[0]?.backend ?? 0
}

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

test('a statement’s own error keeps its connection', async () => {
  const pool = poolOf({ max: 1 })
  const backend = await backendIn(pool)
  for (let round = 0; round < 10; round++) await expect(pool.query('nonsense')).rejects.toMatchObject({ code: '42601' })
  await expect(pool.query('begin; nonsense')).rejects.toMatchObject({ code: '42601' })
  expect(await backendIn(pool)).toBe(backend)
})

test('an error’s stack names the line that asked', async () => {
  const pool = poolOf()
  const dead = poolOf({ connectionString: 'postgres://127.0.0.1:1/nothing' })
  for (const failing of [() => pool.query('nonsense'), () => dead.query('select 1'), () => dead.connect()]) {
    const error = (await failing().catch((reason: unknown) => reason)) as Error
    expect(error.stack).toContain('leased-pg-pool.server.test.ts')
  }
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

test('a listener that throws leaks no connection', async () => {
  const pool = poolOf({ max: 1 })
  const uncaught = vi.fn<(...args: unknown[]) => void>()
  const listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException').on('uncaughtException', uncaught)
  for (const event of ['connect', 'acquire', 'release'] as const) {
    pool.on(event, () => {
      throw new Error(event)
    })
  }
  await pool.query('select 1')
  await new Promise((resolve) => setImmediate(resolve))
  process.off('uncaughtException', uncaught)
  for (const listener of listeners) process.on('uncaughtException', listener)
  expect(uncaught.mock.calls.map(([error]) => (error as Error).message)).toEqual(['connect', 'acquire', 'release'])
  expect(pool.idleCount).toBe(1)
})

test('an idle backend that is killed costs nothing: no process, and no next caller', async () => {
  const pool = poolOf({ max: 1 })
  const backend = await backendIn(pool)
  const admin = poolOf()
  await kill(admin, backend)
  await vi.waitFor(() => expect(pool.totalCount).toBe(0))
  expect(await backendIn(pool)).not.toBe(backend)
})

test('whoever listens for errors of idle clients hears of it once, with the client', async () => {
  const pool = poolOf({ max: 1 })
  const heard = vi.fn<(...args: unknown[]) => void>()
  pool.on('error', heard)
  const client = await pool.connect()
  client.release()
  await kill(poolOf(), backendOf(client))
  await vi.waitFor(() => expect(pool.snapshot().connections.total).toBe(0))
  expect(heard).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: '57P01', client }), client)
})

test('a backend killed in use fails its statement, and is replaced', async () => {
  const pool = poolOf({ max: 1 })
  const heard = vi.fn<(...args: unknown[]) => void>()
  pool.on('error', heard)
  const client = await pool.connect()
  const running = client.query('select pg_sleep(10)')
  const outcome = expect(running).rejects.toMatchObject({ code: '57P01' })
  await kill(poolOf(), backendOf(client))
  await outcome
  client.release()
  await backendIn(pool)
  expect(heard).not.toHaveBeenCalled()
})

test('a slot is not free before its socket is closed', async () => {
  const pool = poolOf({ max: 2 })
  const admin = poolOf()
  const name = `slots ${Math.random()}`
  const watched = poolOf({ max: 2, application_name: name })
  let most = 0
  for (let round = 0; round < 20; round++) {
    await Promise.all([0, 1, 2].map(async () => (await watched.connect()).release(true)))
    const { rows } = await admin.query<{ n: number }>(
      'select count(*)::int as n from pg_stat_activity where application_name = $1',
      [name],
    )
    most = Math.max(most, rows[0]?.n ?? 0)
    expect(watched.snapshot().connections.total).toBeLessThanOrEqual(2)
  }
  expect(watched.snapshot().connections.peak).toBeLessThanOrEqual(2)
  expect(most).toBeLessThanOrEqual(2 + 1)
  await pool.end()
})

test('a waiter’s timeout begins with pg-pool’s words, and has our code and facts', async () => {
  const pool = poolOf({ max: 1, connectionTimeoutMillis: 40 })
  const client = await pool.connect()
  const error = await pool.connect().catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'LEASEHOLD_ACQUIRE_TIMEOUT', statusCode: 503, limit: 1 })
  expect((error as Error).message).toMatch(/^timeout exceeded when trying to connect: /)
  expect((error as Error).stack).toContain('timeout exceeded when trying to connect')
  client.release()
  await pool.query('select 1')
})

test('a failed dial is the driver’s own error', async () => {
  const url = new URL(database.url)
  const settings = { connectionString: undefined, host: url.hostname, port: Number(url.port), user: 'postgres' }
  const dead = poolOf({ connectionString: 'postgres://127.0.0.1:1/nothing' })
  await expect(dead.query('select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  const missing = new URL(url)
  missing.pathname = '/no_such_database'
  const nowhere = poolOf({ connectionString: missing.href })
  await expect(nowhere.connect()).rejects.toMatchObject({ code: '3D000' })
  const nobody = poolOf({ ...settings, user: 'no such user', password: 'wrong', database: 'postgres' })
  await expect(nobody.query('select 1')).rejects.toMatchObject({ code: expect.stringMatching(/^28/) as string })
  for (const pool of [dead, nowhere, nobody]) {
    expect(pool.totalCount + pool.waitingCount).toBe(0)
    await vi.waitFor(() => expect(pool.snapshot().connections.total).toBe(0))
  }
})

test('a server that accepts and never answers is told of in time, with pg-pool’s words', async () => {
  const silent = createServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as { port: number }
  const pool = poolOf({ connectionString: `postgres://127.0.0.1:${port}/x`, connectionTimeoutMillis: 60 })
  const startedAt = performance.now()
  const error = (await pool.connect().catch((reason: unknown) => reason)) as Error
  expect(performance.now() - startedAt).toBeLessThan(1_000)
  expect(error.message).toMatch(/^Connection terminated due to connection timeout/)
  expect(findLeaseholdError(error)?.code).toMatch(/LEASEHOLD_(CONNECT_FAILED|ACQUIRE_TIMEOUT)/)
  await vi.waitFor(() => expect(pool.snapshot().connections.total).toBe(0))
  silent.close()
})

test('end serves who was let in, and nobody else', async () => {
  const pool = createPgPool({ connectionString: database.url, max: 2 })
  const answers = Array.from({ length: 10 }, () => pool.query('select 1'))
  let answered = 0
  for (const answer of answers) void answer.then(() => (answered += 1))
  const ended = pool.end()
  expect(pool.ending).toBe(true)
  await expect(pool.connect()).rejects.toThrow('Cannot use a pool after calling end on the pool')
  await expect(pool.query('select 1')).rejects.toThrow('Cannot use a pool after calling end on the pool')
  await expect(pool.end()).rejects.toThrow('Called end on pool more than once')
  await ended
  expect(answered).toBe(10)
  expect([pool.ended, pool.totalCount]).toEqual([true, 0])
  const called = vi.fn<(...args: unknown[]) => void>()
  pool.end(called)
  await vi.waitFor(() => expect(called).toHaveBeenCalledOnce())
})

test('end waits for what is lent; close does so up to its deadline', async () => {
  const patient = createPgPool({ connectionString: database.url })
  const client = await patient.connect()
  const ended = vi.fn<(...args: unknown[]) => void>()
  patient.end(ended)
  await new Promise((resolve) => setTimeout(resolve, 30))
  expect(ended).not.toHaveBeenCalled()
  await client.query('select 1')
  client.release()
  await vi.waitFor(() => expect(ended).toHaveBeenCalledOnce())
  const strict = createPgPool({ connectionString: database.url })
  const kept = await strict.connect()
  await strict.close({ deadlineMs: 20 })
  await expect(kept.query('select 1')).rejects.toMatchObject({ code: 'LEASEHOLD_LEASE_RELEASED' })
  expect(strict.ended).toBe(true)
})

test('hooks run once for each new connection, are awaited, and what they set stays', async () => {
  const calls: string[] = []
  const pool = poolOf({
    max: 1,
    onConnect: async (client) => {
      await (client as Client).query('select 1')
      Object.assign(client, { mark: 'hooked' })
      calls.push('onConnect')
    },
    verify: (_client, done) => {
      calls.push('verify')
      done()
    },
  })
  for (let round = 0; round < 3; round++) {
    const client = await pool.connect()
    expect(client).toHaveProperty('mark', 'hooked')
    client.release()
  }
  expect(calls).toEqual(['onConnect', 'verify'])
})

test('a failing hook is its caller’s error, and leaves no connection', async () => {
  const failure = new Error('not this one')
  const rejecting = poolOf({
    onConnect: async () => {
      throw failure
    },
  })
  await expect(rejecting.connect()).rejects.toBe(failure)
  const refusing = poolOf({ verify: (_client, done) => done(failure) })
  await expect(refusing.query('select 1')).rejects.toBe(failure)
  for (const pool of [rejecting, refusing]) expect(pool.snapshot().connections.total).toBe(0)
})

test('connection settings are asked for before each connection', async () => {
  let asked = 0
  const connection = async (): Promise<pg.ClientConfig> => ({ application_name: `asked ${++asked}` })
  const pool = poolOf({ max: 1, leasehold: { connection } })
  const name = async (): Promise<unknown> => (await pool.query("select current_setting('application_name') as n")).rows
  expect(await name()).toEqual([{ n: 'asked 1' }])
  expect(await name()).toEqual([{ n: 'asked 1' }])
  pool.reconnect()
  expect(await name()).toEqual([{ n: 'asked 2' }])
  const failing = poolOf({ leasehold: { connection: () => Promise.reject(new Error('no credentials')) } })
  await expect(failing.query('select 1')).rejects.toThrow('no credentials')
})

test('connections end by idle time, uses and age as pg-pool’s options say', async () => {
  const idle = poolOf({ idleTimeoutMillis: 15 })
  const uses = poolOf({ max: 1, maxUses: 2 })
  const aged = poolOf({ max: 1, maxLifetimeSeconds: 0.05 })
  await Promise.all([idle.query('select 1'), aged.query('select 1')])
  const backends = [await backendIn(uses), await backendIn(uses), await backendIn(uses)]
  expect(backends[0]).toBe(backends[1])
  expect(backends[1]).not.toBe(backends[2])
  await vi.waitFor(() => expect(idle.totalCount + aged.totalCount).toBe(0))
})

test('min is kept warm', async () => {
  const pool = poolOf({ min: 2, idleTimeoutMillis: 10 })
  await pool.query('select 1')
  await vi.waitFor(() => expect(pool.idleCount).toBe(2))
  const { rows } = await poolOf().query<{ pid: number }>('select pg_backend_pid() as pid')
  expect(rows).toHaveLength(1)
  await new Promise((resolve) => setTimeout(resolve, 60))
  expect(pool.idleCount).toBe(2)
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

test('a class of clients, a kind of promise and a log may be given', async () => {
  class Own extends Client {
    readonly own = true
  }
  class Promised<T> extends Promise<T> {}
  const log = vi.fn<(...args: unknown[]) => void>()
  const pool = poolOf({ Client: Own, Promise: Promised, log })
  expect(pool.connect().then((client) => client.release())).toBeInstanceOf(Promised)
  expect(pool.query('select 1')).toBeInstanceOf(Promised)
  expect(await pool.connect()).toHaveProperty('own', true)
  expect(log).toHaveBeenCalledWith('dispatching query')
})

test('a stand-in for a client needs no more than connect and on', async () => {
  const failure = new Error('bad news')
  class StandIn {
    connect(callback: (error: Error) => void): void {
      process.nextTick(callback, failure)
    }
    on(): void {}
  }
  const pool = createPgPool({ Client: StandIn as never })
  await expect(pool.connect()).rejects.toBe(failure)
  await pool.end()
})

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
