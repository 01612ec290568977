import { Socket } from 'node:net'
import { type FaultProxy, startFaultProxy } from '@leasehold/testkit/fault-proxy'
import { usePostgres } from '@leasehold/testkit/postgres'
import Cursor from 'pg-cursor'
import { afterEach, expect, test, vi } from 'vitest'
import { backendOf } from '../testing/backend.js'
import { usePools } from '../testing/leased-pool.js'
import { tlsFront } from '../testing/tls-front.js'

const database = usePostgres()
const poolOf = usePools(database)
const fronts: Array<{ close(): unknown }> = []

afterEach(() => {
  for (const front of fronts.splice(0)) void front.close()
})

async function startProxy(): Promise<FaultProxy> {
  const { hostname: host, port } = new URL(database.url)
  const proxy = await startFaultProxy({ host, port: Number(port) })
  fronts.push(proxy)
  return proxy
}

/** A socket that sends what it is given only after a while. */
class LateSocket extends Socket {
  override _write(...args: Parameters<Socket['_write']>): void {
    // oxlint-disable-next-line eslint/no-underscore-dangle -- Node's name
    setTimeout(() => super._write(...args), 60)
  }
}

test('a running statement is cancelled, and its connection serves the next owner', async () => {
  const pool = poolOf({ max: 1 })
  const client = await pool.connect()
  const running = client.query('select pg_sleep(10)')
  client.release()
  await expect(running).rejects.toMatchObject({ code: '57014' })
  const { rows } = await pool.query<{ backend: number }>('select pg_backend_pid() as backend')
  expect(rows[0]?.backend).toBe(backendOf(client))
  expect(pool.snapshot().counts.reset['running statement']).toBe(1)
})

test('a cancel that comes late hits nobody: neither its statement nor the next owner’s', async () => {
  let sockets = 0
  // The first socket is the connection, those after it carry cancel requests.
  const pool = poolOf({ max: 1, stream: () => (sockets++ === 0 ? new Socket() : new LateSocket()) })
  const client = await pool.connect()
  const running = client.query('select pg_sleep(0.02)')
  client.release()
  await running
  await pool.query('select pg_sleep(0.15)')
  expect(sockets).toBe(2)
})

test('a cancel that comes before its statement has reached the server is sent again', async () => {
  let sockets = 0
  const pool = poolOf({ max: 1, stream: () => (sockets++ === 0 ? new LateSocket() : new Socket()) })
  const client = await pool.connect()
  const running = client.query('select pg_sleep(10)')
  client.release()
  await expect(running).rejects.toMatchObject({ code: '57014' })
  expect(backendOf(await pool.connect())).toBe(backendOf(client))
})

test('a busy connection that is closed leaves no statement running on the server', async () => {
  const pool = poolOf({ max: 1, stream: () => (sockets++ === 0 ? new LateSocket() : new Socket()) })
  let sockets = 0
  const client = await pool.connect()
  const running = client.query('select pg_sleep(10)')
  client.release(true)
  await expect(running).rejects.toMatchObject({ code: '57014' })
})

test('statements that end just when they are cancelled never cost the next owner its statement', async () => {
  const pool = poolOf({ max: 1 })
  for (let round = 0; round < 60; round++) {
    const client = await pool.connect()
    const running = client.query(`select pg_sleep(${(round % 10) / 5_000})`)
    running.catch(() => {})
    if (round % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    client.release()
    await pool.query('select pg_sleep(0.001)')
  }
  expect(pool.snapshot().counts.opened).toBe(1)
})

test('an open portal is closed without a cancel', async () => {
  let sockets = 0
  const stream = (): Socket => {
    sockets += 1
    return new Socket()
  }
  const pool = poolOf({ max: 1, stream })
  const client = await pool.connect()
  await client.query(new Cursor('select generate_series(1, 1000000)')).read(1)
  client.release()
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  expect(sockets).toBe(1)
})

test('over TLS, the cancel request is encrypted too', async () => {
  const front = await tlsFront(database.url)
  fronts.push(front)
  const url = new URL(database.url)
  const pool = poolOf({
    connectionString: undefined,
    host: '127.0.0.1',
    port: front.port,
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: url.pathname.slice(1),
    ssl: { rejectUnauthorized: false },
    max: 1,
  })
  const client = await pool.connect()
  const running = client.query('select pg_sleep(10)')
  client.release()
  await expect(running).rejects.toMatchObject({ code: '57014' })
  expect(backendOf(await pool.connect())).toBe(backendOf(client))
  expect(front.refused).toBe(0)
})

test('behind a cut network, a connection given back busy is gone within its bounds', async () => {
  const proxy = await startProxy()
  const pool = poolOf({
    connectionString: proxy.through(database.url),
    max: 1,
    leasehold: { resetTimeoutMs: 150, closeTimeoutMs: 100 },
  })
  const client = await pool.connect()
  const running = client.query('select pg_sleep(60)')
  running.catch(() => {})
  await proxy.fault({ is: 'freeze', direction: 'both' })
  client.release()
  await vi.waitFor(() => expect(pool.snapshot().connections.total).toBe(0), { timeout: 2_000, interval: 20 })
  await expect(running).rejects.toThrow(/terminated/)
})

test('an idle connection behind a cut network fails its check and is replaced', async () => {
  const proxy = await startProxy()
  const pool = poolOf({
    connectionString: proxy.through(database.url),
    max: 1,
    connectionTimeoutMillis: 600,
    leasehold: { checkAfterIdleMs: 0, checkTimeoutMs: 100, closeTimeoutMs: 100 },
  })
  await pool.query('select 1')
  await proxy.fault({ is: 'freeze', direction: 'both' })
  await expect(pool.query('select 1')).rejects.toThrow(/timeout/)
  expect(pool.snapshot().counts.closed['check-failed']).toBe(1)
})
