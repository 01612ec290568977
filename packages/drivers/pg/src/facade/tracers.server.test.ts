import { runInScope } from '@leasehold/core'
import { usePostgres } from '@leasehold/testkit/postgres'
import { Client, Pool as PgPool, type PoolClient } from 'pg'
import Cursor from 'pg-cursor'
import { afterEach, expect, test, vi } from 'vitest'
import { usePools } from '../testing/leased-pool.js'

const poolOf = usePools(usePostgres())

/** Puts something in the place of a method, as tracers do, which is taken away after the test. */
function standIn(on: object, name: string, make: (original: (...args: never[]) => unknown) => unknown): void {
  const { configurable, value } = Object.getOwnPropertyDescriptor(on, name) ?? {}
  const original = (on as Record<string, unknown>)[name] as (...args: never[]) => unknown
  Object.defineProperty(on, name, { value: make(original), writable: true, configurable: true })
  undo.push(() => {
    if (configurable === undefined) delete (on as Record<string, unknown>)[name]
    else Object.defineProperty(on, name, { value: value as unknown, writable: true, configurable: true })
  })
}

const undo: Array<() => void> = []

afterEach(() => {
  for (const step of undo.splice(0).toReversed()) step()
})

/** What OpenTelemetry, Datadog and their like do with pg-pool: note each call, and what it calls back with. */
function trace(noted: unknown[]): void {
  for (const name of ['connect', 'query', 'end']) {
    standIn(
      PgPool.prototype,
      name,
      (original) =>
        function (this: PgPool, ...args: unknown[]) {
          noted.push(name)
          const at = args.length - 1
          const callback = args[at]
          if (typeof callback !== 'function') return original.apply(this, args as never[])
          args[at] = (error: Error | undefined, ...told: unknown[]): void => {
            if (error) noted.push(`${name} failed: ${error.message.slice(0, 42)}`)
            callback(error, ...told)
          }
          return original.apply(this, args as never[])
        },
    )
  }
}

test('whatever stands in the place of pg-pool’s methods is passed, by promises and by callbacks', async () => {
  const noted: unknown[] = []
  trace(noted)
  const pool = poolOf({ max: 2 })

  await pool.query('select 1')
  expect(noted.splice(0)).toEqual(['query', 'connect'])
  await new Promise((resolve) => pool.query('select $1::int', [1], resolve))
  expect(noted.splice(0)).toEqual(['query', 'connect'])
  ;(await pool.connect()).release()
  expect(noted.splice(0)).toEqual(['connect'])
  await new Promise<void>((resolve) => {
    pool.connect((_error, _client, release) => {
      release()
      resolve()
    })
  })
  expect(noted.splice(0)).toEqual(['connect'])
  await expect(pool.query('nonsense')).rejects.toThrow('syntax error')
  expect(noted.splice(0)).toEqual(['query', 'connect', expect.stringContaining('query failed: syntax error')])
  await pool.end()
  expect(noted.splice(0)).toEqual(['end'])
  await expect(pool.query('select 1')).rejects.toThrow('Cannot use a pool after calling end on the pool')
})

test('an idle connection is lent again, and no more are opened than the limit, with a tracer in front', async () => {
  trace([])
  const pool = poolOf({ max: 2, connectionTimeoutMillis: 2_000 })
  await Promise.all(Array.from({ length: 20 }, () => pool.query('select pg_backend_pid()')))
  expect(pool.totalCount).toBe(2)
  const [one, two] = [await pool.connect(), await pool.connect()]
  expect([pool.idleCount, pool.waitingCount]).toEqual([0, 0])
  one.release()
  two.release()
  expect([pool.totalCount, pool.idleCount]).toEqual([2, 2])
})

test('who stands in front is told of failures in pg-pool’s words, and of a failed dial by the driver’s own error', async () => {
  const noted: unknown[] = []
  trace(noted)
  const pool = poolOf({ max: 1, connectionTimeoutMillis: 100 })
  const held = await pool.connect()
  await expect(pool.connect()).rejects.toThrow('timeout exceeded')
  held.release()
  expect(noted.splice(0).at(-1)).toBe('connect failed: timeout exceeded when trying to connect: n')
  await expect(poolOf({ connectionString: 'postgres://me@127.0.0.1:1/none' }).connect()).rejects.toThrow('ECONNREFUSED')
  expect(noted.at(-1)).toBe('connect failed: connect ECONNREFUSED 127.0.0.1:1')
})

test('a stand-in of the pool’s own may ask later, by a promise, and prepare each client', async () => {
  const pool = poolOf({ max: 1 })
  const connect: () => Promise<PoolClient> = pool.connect.bind(pool)
  type Connected = (error: unknown, client?: PoolClient, release?: PoolClient['release']) => void
  const prepared = async (): Promise<PoolClient> => {
    await Promise.resolve()
    const client = await connect()
    await client.query("set application_name to 'prepared'")
    return client
  }
  Object.assign(pool, {
    connect: (callback?: Connected) =>
      callback === undefined
        ? prepared()
        : void prepared().then(
            (client) => process.nextTick(callback, undefined, client, client.release),
            (error: unknown) => process.nextTick(callback, error),
          ),
  })
  const { rows } = await pool.query('show application_name')
  expect(rows).toEqual([{ application_name: 'prepared' }])
  expect(pool.snapshot().connections.lent).toBe(0)
})

test('a stand-in of pg-pool’s may call it later, or answer by a promise', async () => {
  const pool = poolOf({ max: 1 })
  standIn(
    PgPool.prototype,
    'connect',
    (original) =>
      async function (this: PgPool, ...args: never[]) {
        await Promise.resolve()
        return original.apply(this, args)
      },
  )
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await expect(pool.query('nonsense')).rejects.toThrow('syntax error')
  ;(await pool.connect()).release()
  await vi.waitFor(() => expect(pool.snapshot().connections.lent).toBe(0))

  standIn(PgPool.prototype, 'query', () => () => Promise.resolve({ rows: ['made up'] }))
  expect((await pool.query('select 1')).rows).toEqual(['made up'])
  standIn(PgPool.prototype, 'query', () => () => Promise.reject(new Error('not today')))
  await expect(pool.query('select 1')).rejects.toThrow('not today')
})

test('release is a property of the client’s own, as spies of tests want it', async () => {
  const client = await poolOf({ max: 1 }).connect()
  const descriptor = Object.getOwnPropertyDescriptor(client, 'release')
  expect(descriptor).toMatchObject({ value: expect.any(Function) as unknown, writable: true, configurable: true })
})

test('spies on a pool’s own methods see what pg-pool lets them see', async () => {
  const pool = poolOf({ max: 1 })
  const connect = vi.spyOn(pool, 'connect')
  await pool.query('select 1')
  expect(connect).toHaveBeenCalledOnce()
  const statement = vi.spyOn(Client.prototype, 'query')
  await pool.query('select 2')
  expect(statement.mock.calls.map(([text]) => text as unknown)).toEqual(['select 2'])
  statement.mockRestore()
})

test('a cursor through pool.query gives its connection back, with a tracer in front', async () => {
  trace([])
  const pool = poolOf({ max: 1 })
  const cursor = new Cursor<{ n: number }>('select generate_series(1, 3) as n')
  void pool.query(cursor)
  expect(await cursor.read(10)).toHaveLength(3)
  await cursor.close()
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
})

test('a call site is the line of the caller, whatever a tracer lays in between', async () => {
  for (let layer = 0; layer < 20; layer += 1) trace([])
  const pool = poolOf({ max: 1, leasehold: { captureSites: 'always' } })
  const client = await (async function inConnect() {
    return pool.connect()
  })()
  expect(pool.snapshot().holders[0]?.site).toMatch(/at inConnect \(.*tracers\.server\.test\.ts/)
  client.release()
  const query = (function inQuery() {
    return pool.query('select pg_sleep(0.01)')
  })()
  expect(pool.snapshot().holders[0]?.site).toMatch(/at inQuery \(.*tracers\.server\.test\.ts/)
  await query
})

/** What `addSqlCommenterCommentToQueries` and Datadog's propagation do: each statement tells the server of its trace. */
function comment(): void {
  let count = 0
  standIn(
    Client.prototype,
    'query',
    (original) =>
      function (this: Client, ...args: unknown[]) {
        const [text] = args
        if (typeof text === 'string') args[0] = `/*ddps='orders'*/ ${text} /*traceparent='00-${(count += 1)}-01'*/`
        return original.apply(this, args as never[])
      },
  )
}

test('what listeners of connect set stays for all owners, though a tracer adds comments to it', async () => {
  comment()
  const pool = poolOf({ max: 1 })
  pool.on('connect', (client) => void client.query('set search_path to pg_catalog, public'))
  for (const _ of [1, 2]) {
    expect((await pool.query('show search_path')).rows).toEqual([{ search_path: 'pg_catalog, public' }])
  }
})

test('a pin knows where it was issued, though a tracer adds comments to it', async () => {
  comment()
  const pool = poolOf({ max: 1 })
  await pool.use(async (client, lease) => {
    await (function inHandler() {
      return client.query("set statement_timeout to '5s'")
    })()
    expect(lease.pins[0]?.site).toMatch(/at inHandler \(.*tracers\.server\.test\.ts/)
  })
})

test('transactions, settings and what was left behind are known, though a tracer adds comments to them', async () => {
  comment()
  const pool = poolOf({ max: 1 })
  const left = await pool.connect()
  await left.query('begin')
  await left.query("set local statement_timeout to '5s'")
  left.release()
  expect((await pool.query('show statement_timeout')).rows).toEqual([{ statement_timeout: '0' }])
  const settings = { 'app.tenant_id': '42' }
  const seen = await runInScope({ label: 'tenant', settings }, () =>
    pool.transaction(async (client) => {
      await client.query('begin')
      const { rows } = await client.query("select current_setting('app.tenant_id') as tenant")
      await client.query('commit')
      return rows as unknown
    }),
  )
  expect(seen).toEqual([{ tenant: '42' }])
})

test('settings that go out by themselves end with a callback, as Datadog’s tracer wants of what is no query', async () => {
  const ended: unknown[] = []
  standIn(
    Client.prototype,
    'query',
    (original) =>
      function (this: Client, ...args: unknown[]) {
        const returned = original.apply(this, args as never[])
        const statement = args[0] as { submit?: unknown; callback: (error?: Error) => void }
        if (typeof statement.submit === 'function') {
          const { callback } = statement
          statement.callback = (error) => {
            ended.push(error)
            callback(error)
          }
        }
        return returned
      },
  )
  const pool = poolOf({ max: 1 })
  const tenantIn = (settings: Record<string, string>): Promise<unknown> =>
    runInScope({ label: 'tenant', settings }, async () => {
      const client = await pool.connect()
      try {
        await client.query('begin')
        return (await client.query("select current_setting('app.tenant_id') as tenant")).rows
      } finally {
        client.release()
      }
    })
  expect(await tenantIn({ 'app.tenant_id': '42' })).toEqual([{ tenant: '42' }])
  await expect(tenantIn({ role: 'nobody_of_that_name' })).rejects.toThrow('the statement was not run')
  expect(ended).toEqual([undefined, expect.any(Error)])
})
