import { once } from 'node:events'
import { createServer, Socket } from 'node:net'
import { findLeaseholdError } from '@leasehold/core'
import { usePostgres } from '@leasehold/testkit/postgres'
import { refuseUnhandledErrors } from '@leasehold/testkit/unhandled'
import { expect, test, vi } from 'vitest'
import { backendIn, backendOf, kill } from '../testing/backend.js'
import { usePools } from '../testing/leased-pool.js'

const database = usePostgres()
const poolOf = usePools(database)
refuseUnhandledErrors()

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
    expect(error.stack).toContain('failures.server.test.ts')
  }
})

test('an error’s stack names the line that asked, also of who waited too long', async () => {
  const pool = poolOf({ max: 1, connectionTimeoutMillis: 300 })
  const client = await pool.connect()
  for (const failing of [() => pool.query('select 1'), () => pool.connect()]) {
    const error = (await failing().catch((reason: unknown) => reason)) as Error
    expect(error.message).toContain('timeout exceeded when trying to connect')
    expect(error.stack).toContain('failures.server.test.ts')
  }
  client.release()
})

test('a log that throws fails its query, and leaks no connection', async () => {
  const pool = poolOf({
    max: 1,
    log: (message: unknown) => {
      if (message === 'dispatching query') throw new Error('no space left')
    },
  })
  await expect(pool.query('select 1')).rejects.toThrow('no space left')
  await vi.waitFor(() => expect(pool.snapshot().holders).toEqual([]))
})

test('a config is left as its owner made it', async () => {
  const config = Object.freeze({ text: 'select $1::int as n' })
  const pool = poolOf({ max: 1 })
  const { rows } = await pool.query(config, [1])
  expect(rows).toEqual([{ n: 1 }])
  await pool.use(async (client) => expect((await client.query(config, [2])).rows).toEqual([{ n: 2 }]))
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

test('a waiter’s timeout begins with pg-pool’s words, and has our code and facts', async () => {
  const pool = poolOf({ max: 1, connectionTimeoutMillis: 300 })
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

test.each([
  ['', () => {}],
  [', though its socket took its time to be made', () => busyFor(30)],
])('a server that accepts and never answers is told of in time, with pg-pool’s words%s', async (_what, before) => {
  const silent = createServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as { port: number }
  const pool = poolOf({
    connectionString: `postgres://127.0.0.1:${port}/x`,
    connectionTimeoutMillis: 60,
    stream: () => {
      before()
      return new Socket()
    },
  })
  const startedAt = performance.now()
  const error = (await pool.connect().catch((reason: unknown) => reason)) as Error
  expect(performance.now() - startedAt).toBeLessThan(1_000)
  expect(error.message).toMatch(/^Connection terminated due to connection timeout/)
  expect(findLeaseholdError(error)?.code).toMatch(/LEASEHOLD_(CONNECT_FAILED|ACQUIRE_TIMEOUT)/)
  await vi.waitFor(() => expect(pool.snapshot().connections.total).toBe(0))
  silent.close()
})

/** Nothing else is done meanwhile. */
function busyFor(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}
