import { usePostgres } from '@leasehold/testkit/postgres'
import { refuseUnhandledErrors } from '@leasehold/testkit/unhandled'
import { Client } from 'pg'
import type * as pg from 'pg'
import { expect, test, vi } from 'vitest'
import { backendIn } from '../testing/backend.js'
import { usePools } from '../testing/leased-pool.js'
import { createPgPool } from './create-pg-pool.js'

const database = usePostgres()
const poolOf = usePools(database)
refuseUnhandledErrors()

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

test('who closes the pool below, as bindings do, ends the pool; its own end is then harmless', async () => {
  const pool = createPgPool({ connectionString: database.url, max: 2 })
  const client = await pool.connect()
  expect([pool.ending, pool.ended]).toEqual([false, false])
  const closed = pool.leases.close()
  expect([pool.ending, pool.ended]).toEqual([true, false])
  client.release()
  await closed
  expect([pool.ending, pool.ended, pool.totalCount]).toEqual([true, true, 0])
  await pool.end()
  await expect(pool.end()).rejects.toThrow('Called end on pool more than once')
})

test.each([undefined, null, 5, 'postgres://user:secret@here/db'])(
  '%o from leasehold.connection is told, and not taken for no settings',
  async (answer) => {
    const pool = createPgPool({ leasehold: { connection: () => answer as never } })
    const failed = pool.query('select 1').catch((reason: unknown) => reason)
    expect(await failed).toMatchObject({ code: 'LEASEHOLD_INVALID_OPTIONS' })
    expect(String(await failed)).toContain('expected an object with connection settings')
    expect(String(await failed)).not.toContain('secret')
    await pool.end()
  },
)

test('end serves who was let in, and nobody else', async () => {
  const pool = createPgPool({ connectionString: database.url, max: 2 })
  const answers = Array.from({ length: 10 }, () => pool.query('select 1'))
  let answered = 0
  for (const answer of answers) void answer.then(() => (answered += 1))
  const ended = pool.end()
  expect(pool.ending).toBe(true)
  await expect(pool.connect()).rejects.toThrow('Cannot use a pool after calling end on the pool')
  await expect(pool.query('select 1')).rejects.toThrow('Cannot use a pool after calling end on the pool')
  await expect(pool.query('select 1')).rejects.toMatchObject({ cause: { code: 'LEASEHOLD_POOL_CLOSED' } })
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
