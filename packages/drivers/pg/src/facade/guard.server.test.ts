import dns from 'node:dns'
import { findLeaseholdError, runInScope } from '@leasehold/core'
import { type FaultProxy, startFaultProxy } from '@leasehold/testkit/fault-proxy'
import { freePort, startPostgres, usePostgres } from '@leasehold/testkit/postgres'
import { afterEach, expect, test, vi } from 'vitest'
import { backendOf, kill } from '../testing/backend.js'
import { usePools } from '../testing/leased-pool.js'

const database = usePostgres()
const poolOf = usePools(database)
const proxies: FaultProxy[] = []

afterEach(async () => {
  await Promise.all(proxies.splice(0).map((proxy) => proxy.close()))
})

async function startProxy(): Promise<FaultProxy> {
  const { hostname: host, port } = new URL(database.url)
  const proxy = await startFaultProxy({ host, port: Number(port) })
  proxies.push(proxy)
  return proxy
}

function codesOf(outcomes: ReadonlyArray<PromiseSettledResult<unknown>>): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const outcome of outcomes) {
    const code = outcome.status === 'fulfilled' ? 'ok' : String((outcome.reason as { code?: unknown }).code)
    counts[code] = (counts[code] ?? 0) + 1
  }
  return counts
}

test('a dead port sees five attempts of 200 callers; each of them knows within its deadline, and later ones at once', async () => {
  const pool = poolOf({ connectionString: `postgres://127.0.0.1:${await freePort()}/x` })
  const startedAt = performance.now()
  const outcomes = await Promise.allSettled(Array.from({ length: 200 }, () => pool.query('select 1')))

  expect(performance.now() - startedAt).toBeLessThan(5_000)
  expect(codesOf(outcomes)).toEqual({ ECONNREFUSED: 5, LEASEHOLD_CIRCUIT_OPEN: 195 })
  expect(pool.snapshot()).toMatchObject({
    breaker: { state: 'open' },
    counts: { openFailed: 5 },
    waiting: { count: 0 },
  })
  const askedAt = performance.now()
  const error: unknown = await pool.query('select 1').catch((reason: unknown) => reason)
  expect(performance.now() - askedAt).toBeLessThan(1_000)
  expect(findLeaseholdError(error)).toMatchObject({ code: 'LEASEHOLD_CIRCUIT_OPEN', statusCode: 503 })
  expect((error as Error).stack).toContain('guard.server.test.ts')
})

test('a restarted server is found again without anybody’s help, and is not run over', async () => {
  const proxy = await startProxy()
  const pool = poolOf({
    connectionString: proxy.through(database.url),
    max: 10,
    leasehold: { breaker: { probeAfterMs: 100 } },
  })
  await Promise.all(Array.from({ length: 10 }, () => pool.query('select 1')))
  await proxy.fault({ is: 'reset' })
  await proxy.fault({ is: 'refuse' })
  const down = await Promise.allSettled(Array.from({ length: 300 }, () => pool.query('select 1')))
  expect(codesOf(down)['ok']).toBeUndefined()
  expect(pool.snapshot().breaker.state).not.toBe('closed')
  const before = proxy.dials.length

  await proxy.heal()
  await vi.waitFor(() => expect(pool.snapshot().breaker.state).toBe('closed'), { timeout: 5_000 })
  const up = await Promise.allSettled(Array.from({ length: 500 }, () => pool.query('select 1')))

  expect(codesOf(up)).toEqual({ ok: 500 })
  expect(proxy.dials.length - before).toBeLessThanOrEqual(10)
})

test('with compat: every caller is answered by a dial of its own, as pg-pool does', async () => {
  const pool = poolOf({
    connectionString: `postgres://127.0.0.1:${await freePort()}/x`,
    leasehold: { compat: 'pg-pool' },
  })
  const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => pool.query('select 1')))

  expect(codesOf(outcomes)).toEqual({ ECONNREFUSED: 50 })
  expect(pool.snapshot()).toMatchObject({ breaker: { state: 'closed' }, counts: { openFailed: 50 } })
})

test('a wrong password is tried once or twice for 50 callers, and opens no circuit', async () => {
  const admin = poolOf()
  const name = `leasehold_${process.pid}_${Date.now()}`
  await admin.query(`create role ${name} login password 'right'`)
  const url = new URL(database.url)
  url.username = name
  url.password = 'wrong'
  const pool = poolOf({ connectionString: url.href })
  const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => pool.query('select 1')))

  expect(codesOf(outcomes)).toEqual({ '28P01': 50 })
  const errors = outcomes.map((outcome) => (outcome.status === 'rejected' ? (outcome.reason as Error) : undefined))
  expect(new Set(errors).size).toBe(50)
  expect(errors.every((error) => error instanceof Error && error.stack?.includes('guard.server.test.ts'))).toBe(true)
  expect(pool.snapshot().counts.openFailed).toBeLessThanOrEqual(2)
  expect(pool.snapshot().breaker.state).toBe('closed')
  await admin.query(`drop role ${name}`)
})

test('a password that is not given is no sickness either', async () => {
  const url = new URL(database.url)
  url.password = ''
  const pool = poolOf({
    connectionString: undefined,
    host: url.hostname,
    port: Number(url.port),
    user: 'postgres',
    password: '',
  })
  const error: unknown = await pool.query('select 1').catch((reason: unknown) => reason)

  expect(findLeaseholdError(error)).toMatchObject({ code: 'LEASEHOLD_CONNECT_FAILED', kind: 'denied' })
})

test('a server that is full is made do with: all callers are served by the connections there are', async () => {
  const admin = poolOf()
  const name = `leasehold_full_${process.pid}_${Date.now()}`
  await admin.query(`create role ${name} login password 'right' connection limit 2`)
  const url = new URL(database.url)
  url.username = name
  url.password = 'right'
  const pool = poolOf({ connectionString: url.href, max: 8 })
  await pool.query('select 1')
  const work = (): Promise<unknown> => pool.query('select pg_sleep(0.005)')
  const outcomes = await Promise.allSettled(Array.from({ length: 60 }, work))

  expect(codesOf(outcomes)).toEqual({ ok: 60 })
  // Two who come at the same moment are both refused where there is room for one: the server counts them first.
  expect(pool.snapshot().effectiveMax).toBeLessThanOrEqual(2)
  expect(pool.snapshot().breaker.state).toBe('closed')
  await admin.query(`alter role ${name} connection limit 8`)
  await vi.waitFor(
    async () => {
      await Promise.all(Array.from({ length: 30 }, work))
      expect(pool.snapshot()).toMatchObject({ effectiveMax: 8, connections: { total: 8 } })
    },
    { timeout: 20_000, interval: 50 },
  )
  await pool.close()
  await admin.query(`drop role ${name}`)
}, 30_000)

test('a hook that fails is its caller’s error, also with a code of the network’s: the circuit stays closed', async () => {
  const failure = Object.assign(new Error('no cache server'), { code: 'ECONNREFUSED' })
  const pool = poolOf({ max: 1, onConnect: () => Promise.reject(failure) })
  for (let caller = 0; caller < 8; caller += 1) await expect(pool.connect()).rejects.toBe(failure)

  expect(pool.snapshot()).toMatchObject({ breaker: { state: 'closed', failures: 0 } })
})

test('a host is looked up anew for each connection, so that a changed address is found', async () => {
  const url = new URL(database.url)
  const lookup = vi.spyOn(dns, 'lookup')
  url.hostname = 'localhost'
  const pool = poolOf({ connectionString: url.href, max: 2 })
  await Promise.all([pool.query('select 1'), pool.query('select pg_sleep(0.01)')])
  const lookedUp = lookup.mock.calls.filter(([host]) => host === 'localhost').length
  lookup.mockRestore()

  expect(lookedUp).toBeGreaterThanOrEqual(2)
})

test('two sessions that end by a shutdown have all others replaced; one does not', async () => {
  const admin = poolOf()
  const pool = poolOf({ max: 4 })
  const clients = await Promise.all(Array.from({ length: 4 }, () => pool.connect()))
  const [first = 0, second = 0, third = 0] = clients.map(backendOf)
  for (const client of clients) client.release()
  await kill(admin, first)
  await vi.waitFor(() => expect(pool.totalCount).toBe(3))
  expect(pool.snapshot().generation).toBe(0)

  await Promise.all([kill(admin, second), kill(admin, third)])

  await vi.waitFor(() => expect(pool.snapshot()).toMatchObject({ generation: 1, connections: { total: 0 } }))
})

test('a transaction that its owner made read-only costs no connection', async () => {
  const pool = poolOf({ max: 1 })
  await pool.query('create table written (n int)')
  const backend = async (): Promise<unknown> => (await pool.query('select pg_backend_pid() as pid')).rows
  const before = await backend()
  for (const readOnly of ['begin read only', 'set default_transaction_read_only = on']) {
    const client = await pool.connect()
    await client.query(readOnly)
    await expect(client.query('insert into written values (1)')).rejects.toMatchObject({ code: '25006' })
    client.release()
  }
  await expect(
    pool.transaction((client) => client.query('insert into written values (1)'), { readOnly: true }),
  ).rejects.toMatchObject({ code: '25006' })
  const settings = { default_transaction_read_only: true }
  await expect(
    runInScope({ label: 'GET /', settings }, () => pool.query('insert into written values (1)')),
  ).rejects.toMatchObject({ code: '25006' })

  expect(await backend()).toEqual(before)
  expect(pool.snapshot().generation).toBe(0)
})

test('a server that takes no writes any more has every connection replaced', async () => {
  const server = await startPostgres({ embedded: true })
  const pool = poolOf({ connectionString: server.url, max: 3 })
  const other = await pool.connect()
  await pool.query('create table written (n int)')
  await pool.query('insert into written values (1)')
  const told = vi.fn<(...of: unknown[]) => void>()
  pool.leases.on('failover', told)
  await pool.query('alter system set default_transaction_read_only = on')
  await pool.query('select pg_reload_conf()')
  await vi.waitFor(() => expect(pool.query('insert into written values (2)')).rejects.toMatchObject({ code: '25006' }))
  await vi.waitFor(() => expect(told).toHaveBeenCalledOnce())

  expect(told).toHaveBeenCalledWith(expect.objectContaining({ why: 'read-only', generation: 1 }))
  other.release()
  await vi.waitFor(() => expect(pool.snapshot().connections.total).toBe(0))
  await pool.close()
  await server.stop()
}, 60_000)

test('the circuit can be held open and closed by hand', async () => {
  const pool = poolOf({ max: 2 })
  pool.forceBreaker('open')
  await expect(pool.query('select 1')).rejects.toMatchObject({ code: 'LEASEHOLD_CIRCUIT_OPEN' })
  pool.forceBreaker('automatic')
  await pool.query('select 1')
})
