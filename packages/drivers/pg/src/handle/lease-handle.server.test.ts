import { EventEmitter } from 'node:events'
import { runInScope } from '@leasehold/core'
import { usePostgres } from '@leasehold/testkit/postgres'
import { Client, Query } from 'pg'
import type * as pg from 'pg'
import { expect, test, vi } from 'vitest'
import { backendOf } from '../testing/backend.js'
import { usePools } from '../testing/leased-pool.js'

const poolOf = usePools(usePostgres())
const released = expect.objectContaining({ code: 'LEASEHOLD_LEASE_RELEASED' }) as Error

test('a handle is a pg.Client to whoever asks, with all that the connection has', async () => {
  const client = await poolOf().connect()
  expect(client).toBeInstanceOf(Client)
  expect(client).toBeInstanceOf(EventEmitter)
  expect(client.constructor.name).not.toContain('Pool')
  expect(client.getTransactionStatus()).toBe('I')
  expect(backendOf(client)).toBeGreaterThan(0)
  ;(client as unknown as { mark: string }).mark = 'mine'
  client.release()
  const next = await poolOf().connect()
  expect('mark' in next).toBe(false)
})

test('each lease has its own handle', async () => {
  const pool = poolOf({ max: 1 })
  const one = await pool.connect()
  one.release()
  const two = await pool.connect()
  expect(two).not.toBe(one)
  expect(backendOf(two)).toBe(backendOf(one))
})

test('a handle used after release touches nothing, in every form that pg has', async () => {
  const pool = poolOf({ max: 1 })
  const stale = await pool.connect()
  stale.release()
  const current = await pool.connect()
  await expect(stale.query('select 1')).rejects.toEqual(released)
  await expect(stale.query({ text: 'select $1', values: [1] })).rejects.toEqual(released)
  await expect(stale.end()).rejects.toEqual(released)
  const callback = vi.fn<(...args: unknown[]) => void>()
  stale.query('select 1', callback)
  stale.query('select $1', [1], callback)
  expect(stale.query({ text: 'select 1', callback } as unknown as string)).toBeUndefined()
  expect(callback).not.toHaveBeenCalled()
  await new Promise((resolve) => setImmediate(resolve))
  expect(callback.mock.calls).toEqual([[released], [released], [released]])
  const query = new Query('select 1')
  const failed = new Promise((resolve) => query.on('error', resolve))
  expect(stale.query(query)).toBe(query)
  expect(await failed).toEqual(released)
  // One that nobody listens to must not end the process.
  stale.query(new Query('select 1'))
  expect(() => stale.on('notice', () => {})).toThrow(released)
  expect(() => stale.emit('error', new Error('for the next owner'))).toThrow(released)
  expect(await current.query('select 1 as one')).toMatchObject({ rows: [{ one: 1 }] })
})

test('what pg refuses at once, a handle refuses at once', async () => {
  const client = await poolOf().connect()
  expect(() => client.query(null as unknown as string)).toThrow('Client was passed a null or undefined query')
  expect(() => client.query('select 1', [], 'no function' as unknown as () => void)).toThrow(
    'callback is not a function',
  )
})

test('a second release is harmless, and cannot give back what the next owner holds', async () => {
  const pool = poolOf({ max: 1 })
  const told = vi.fn<(...args: unknown[]) => void>()
  const first = await pool.connect()
  first.release()
  const second = await pool.connect()
  pool.on('release', told)
  first.release()
  first.release(new Error('too late'))
  expect(told).not.toHaveBeenCalled()
  expect(pool.idleCount).toBe(0)
  expect((await second.query('select 1 as one')).rows).toEqual([{ one: 1 }])
})

test('release works without its handle, and may be wrapped as pg documents', async () => {
  const pool = poolOf({ max: 1 })
  const client = await pool.connect()
  const wasReleased = vi.fn<(...args: unknown[]) => void>()
  // oxlint-disable-next-line typescript/unbound-method -- as the documentation has it
  const { query, release } = client
  client.query = ((...args: Parameters<typeof query>) => query.apply(client, args)) as typeof query
  client.release = (error) => {
    wasReleased()
    client.query = query
    client.release = release
    release(error)
  }
  await client.query('select 1')
  // oxlint-disable-next-line typescript/unbound-method -- pg-pool's works so
  await Promise.resolve().finally(client.release)
  expect(wasReleased).toHaveBeenCalledOnce()
  expect(pool.idleCount).toBe(1)
})

test.each([new Error('broken'), true, 'a word'])('release(%s) closes the connection', async (said) => {
  const pool = poolOf({ max: 1 })
  const client = await pool.connect()
  const backend = backendOf(client)
  client.release(said as Error)
  expect(pool.totalCount).toBe(0)
  expect(backendOf(await pool.connect())).not.toBe(backend)
})

test('what a holder ends is not lent again', async () => {
  const pool = poolOf({ max: 1 })
  const client = await pool.connect()
  const ended = client.end()
  client.release()
  expect(pool.totalCount).toBe(0)
  await ended
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
})

test('a transaction left open or failed is rolled back before the next owner comes', async () => {
  const pool = poolOf({ max: 1 })
  await pool.query('create table if not exists left_open (id int)')
  const leaver = await pool.connect()
  await leaver.query('begin')
  await leaver.query('insert into left_open values (1)')
  leaver.release()
  const next = await pool.connect()
  expect(next.getTransactionStatus()).toBe('I')
  await next.query('begin')
  await next.query('nonsense').catch(() => {})
  next.release()
  expect((await pool.query('select * from left_open')).rows).toEqual([])
  expect(pool.snapshot().counts.reset).toMatchObject({ 'open transaction': 1, 'failed transaction': 1 })
  expect(pool.snapshot().counts.opened).toBe(1)
})

test('a release in the callback of a failing statement costs no cancel and no connection', async () => {
  const pool = poolOf({ max: 1 })
  const client = await pool.connect()
  await new Promise<void>((resolve) => {
    // pg calls back before ReadyForQuery has come, when its own status still says that all is well.
    client.query('begin; nonsense', () => {
      client.release()
      resolve()
    })
  })
  const { rows } = await pool.query<{ backend: number }>('select pg_backend_pid() as backend')
  expect(rows[0]?.backend).toBe(backendOf(client))
  expect(pool.snapshot().counts.reset['running statement']).toBe(0)
})

test('statement mode refuses every way of opening a transaction, before it is sent', async () => {
  const pool = poolOf({ leasehold: { mode: 'statement' } })
  const client = await pool.connect()
  for (const text of ['begin', '/* x */ START transaction', 'select 1; begin; select 2']) {
    await expect(client.query(text)).rejects.toMatchObject({ code: 'LEASEHOLD_MODE_VIOLATION' })
    await expect(client.query({ text })).rejects.toMatchObject({ code: 'LEASEHOLD_MODE_VIOLATION' })
  }
  await expect(pool.query('begin')).rejects.toMatchObject({ code: 'LEASEHOLD_MODE_VIOLATION' })
  const query = new Query('begin')
  const failed = new Promise((resolve) => query.on('error', resolve))
  client.query(query)
  expect(await failed).toMatchObject({ code: 'LEASEHOLD_MODE_VIOLATION' })
  expect(client.getTransactionStatus()).toBe('I')
  await client.query("select 'begin'")
})

test('listeners end with their lease', async () => {
  const pool = poolOf({ max: 1 })
  const first = await pool.connect()
  const heard = vi.fn<(...args: unknown[]) => void>()
  first.on('notification', heard)
  first.once('notice', heard)
  await first.query('listen news')
  await first.query("notify news, 'for the first'")
  expect(heard).toHaveBeenCalledTimes(1)
  first.release()
  const second = await pool.connect()
  await second.query("notify news, 'for the second'")
  await second.query("do $$ begin raise notice 'for the second'; end $$")
  expect(heard).toHaveBeenCalledTimes(1)
})

test('a handle counts, lists and removes its own listeners only', async () => {
  const client = await poolOf().connect()
  const [one, two] = [vi.fn<(...args: unknown[]) => void>(), vi.fn<(...args: unknown[]) => void>()]
  client.on('notice', one).prependListener('notice', two).once('error', one)
  expect(client.listenerCount('notice')).toBe(2)
  expect(client.listeners('error')).toEqual([one])
  client.off('notice', two)
  await client.query("do $$ begin raise notice 'heard once'; end $$")
  expect(one).toHaveBeenCalledOnce()
  expect(two).not.toHaveBeenCalled()
  client.removeAllListeners('notice')
  client.removeAllListeners()
  expect(client.listenerCount('notice') + client.listenerCount('error')).toBe(0)
  client.release()
})

test('a listener sees its handle as `this`', async () => {
  const client = await poolOf().connect()
  const wasHeard = vi.fn<() => void>()
  client.on('notice', function (this: unknown) {
    expect(this).toBe(client)
    wasHeard()
  })
  await client.query("do $$ begin raise notice 'hello'; end $$")
  expect(wasHeard).toHaveBeenCalledOnce()
})

test('the last handle still listens and emits until the connection is lent again', async () => {
  const pool = poolOf({ max: 1 })
  const client = await pool.connect()
  client.release()
  const [onPool, onClient] = [vi.fn<(...args: unknown[]) => void>(), vi.fn<(...args: unknown[]) => void>()]
  pool.on('error', onPool)
  client.once('error', onClient)
  const error = new Error('expected')
  client.emit('error', error)
  expect(onClient).toHaveBeenCalledExactlyOnceWith(error)
  expect(onPool).toHaveBeenCalledExactlyOnceWith(error, client)
  expect(pool.totalCount).toBe(0)
})

test('a thousand leases with listeners leave none behind', async () => {
  const pool = poolOf({ max: 1 })
  const physical = (await pool.connect()) as unknown as { connection: EventEmitter } & pg.PoolClient
  const before = physical.connection.eventNames().map((name) => physical.connection.listenerCount(name))
  physical.release()
  for (let lease = 0; lease < 1_000; lease++) {
    const client = await pool.connect()
    client.on('error', () => {}).on('notice', () => {})
    client.release()
  }
  const last = await pool.connect()
  const base = Object.getPrototypeOf(Object.getPrototypeOf(last) as object) as EventEmitter
  expect(base.listenerCount('notice')).toBe(0)
  expect(base.listenerCount('error')).toBe(1)
  expect(physical.connection.eventNames().map((name) => physical.connection.listenerCount(name))).toEqual(before)
})

test('a lease that its scope took back cannot be used, and its late release is harmless', async () => {
  const pool = poolOf({ max: 1 })
  let kept: pg.PoolClient | undefined
  await runInScope({ label: 'forgets' }, async () => {
    kept = await pool.connect()
  })
  const next = await pool.connect()
  await expect(kept?.query('select 1')).rejects.toEqual(released)
  kept?.release()
  expect((await next.query('select 1 as one')).rows).toEqual([{ one: 1 }])
})
