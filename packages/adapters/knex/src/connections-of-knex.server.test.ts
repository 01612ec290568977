// oxlint-disable no-underscore-dangle -- the names are Knex's
import { findLeaseholdError, isLeaseholdError, runInScope } from '@leasehold/core'
import { usePostgres } from '@leasehold/testkit/postgres'
import { knex as plainKnex, type Knex } from 'knex'
import { Client } from 'pg'
import { expect, test, vi } from 'vitest'
import { createKnex } from './create-knex.js'
import type { KnexConnection } from './knex-internals.js'
import { openKnex } from './open-knex.js'

const database = usePostgres()

interface Connections {
  acquireConnection(): Promise<KnexConnection>
  releaseConnection(connection: KnexConnection): Promise<void>
  cancelQuery(connection: KnexConnection): Promise<void>
  readonly pool: {
    acquire(): { readonly promise: Promise<KnexConnection>; abort(): void }
    release(connection: unknown): boolean
    numUsed(): number
    numFree(): number
    numPendingAcquires(): number
    numPendingCreates(): number
    numPendingValidations(): number
    readonly min: number
    readonly max: number
  }
}

const connectionsOf = (db: Knex): Connections => db.client as Connections

async function elsewhere<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(database.url)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

const active = async (): Promise<number> =>
  elsewhere(async (client) => {
    const { rows } = await client.query<{ count: number }>(
      `select count(*)::int from pg_stat_activity
       where datname = current_database() and state = 'active' and pid <> pg_backend_pid()`,
    )
    return rows[0]?.count ?? -1
  })

test('a timeout of the queue is a KnexTimeoutError, with our code and who holds the connections', async () => {
  await using opened = openKnex(database.url, { max: 1 }, { acquireConnectionTimeout: 50 })
  const { db, pool } = opened
  await pool.query('select 1')
  const trx = await db.transaction()
  const since = performance.now()
  const error: unknown = await db.raw('select 1').then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(performance.now() - since).toBeLessThan(1_000)
  expect(error).toBeInstanceOf(plainKnex.KnexTimeoutError)
  expect(error).toMatchObject({
    name: 'KnexTimeoutError',
    code: 'LEASEHOLD_ACQUIRE_TIMEOUT',
    statusCode: 503,
    retryAfterMs: 1_000,
    message: expect.stringMatching(/^Knex: Timeout acquiring a connection\. The pool is probably full\..*held by/),
  })
  expect(findLeaseholdError(error)).toMatchObject({
    holders: [expect.objectContaining({ label: 'outside any scope' })],
  })
  await expect(db.transaction(() => Promise.resolve())).rejects.toBeInstanceOf(plainKnex.KnexTimeoutError)
  await trx.rollback()
  expect(pool.snapshot().counts.timeouts).toBe(2)
})

test('without a timeout of its own Knex waits as long as the pool says', async () => {
  await using opened = openKnex(database.url, { max: 1, leasehold: { acquireTimeoutMs: 400 } })
  await opened.pool.query('select 1')
  const trx = await opened.db.transaction()
  const since = performance.now()
  await expect(opened.db.raw('select 1')).rejects.toBeInstanceOf(plainKnex.KnexTimeoutError)
  expect(performance.now() - since).toBeGreaterThan(390)
  await trx.rollback()
})

test('a full queue and a failed connect arrive as what they are', async () => {
  await using opened = openKnex(database.url, { max: 1, leasehold: { maxWaiting: 0 } })
  const trx = await opened.db.transaction()
  await expect(opened.db.raw('select 1')).rejects.toMatchObject({ code: 'LEASEHOLD_QUEUE_FULL', statusCode: 503 })
  await trx.rollback()
  await using nowhere = openKnex('postgres://nobody@127.0.0.1:1/none')
  await expect(nowhere.db.raw('select 1')).rejects.toMatchObject({
    code: 'LEASEHOLD_CONNECT_FAILED',
    cause: { code: 'ECONNREFUSED' },
  })
})

test('a second release changes nothing, and cannot touch the next owner', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  const connections = connectionsOf(opened.db)
  const { pool } = connections
  const first = await connections.acquireConnection()
  expect(pool.release(first)).toBe(true)
  const second = await connections.acquireConnection()
  expect(pool.release(first)).toBe(false)
  await expect(first.query('select 1')).rejects.toMatchObject({ code: 'LEASEHOLD_LEASE_RELEASED' })
  expect((await second.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  expect(pool.release(second)).toBe(true)
  expect(pool.release(new Client())).toBe(false)
})

test('what Knex notes on a connection does not reach its next owner', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  const { db, pool } = opened
  const connections = connectionsOf(db)
  const trx = await db.transaction()
  const held = await (trx.client as Connections).acquireConnection()
  expect(held.__knexTxId).toMatch(/^trx/)
  held.__knex__disposed = new plainKnex.KnexTimeoutError('by a test')
  await trx.rollback()
  const next = await connections.acquireConnection()
  expect([next.__knexTxId, next.__knex__disposed]).toEqual([undefined, undefined])
  await connections.releaseConnection(next)
  const plain = (await pool.connect()) as unknown as KnexConnection & { release(): void }
  expect([plain.__knexUid, plain.__knexTxId, plain.__knex__disposed]).toEqual([undefined, undefined, undefined])
  plain.release()
})

test('nor where the pool lends the client itself, as pg-pool does', async () => {
  await using opened = openKnex(database.url, { max: 1, leasehold: { compat: 'pg-pool' } })
  const connections = connectionsOf(opened.db)
  await expect(opened.db.raw('select pg_sleep(20)').timeout(50)).rejects.toBeInstanceOf(plainKnex.KnexTimeoutError)
  const next = await connections.acquireConnection()
  expect([next.__knexTxId, next.__knex__disposed]).toEqual([undefined, undefined])
  await connections.releaseConnection(next)
  expect(opened.pool.snapshot().counts.opened).toBe(1)
})

test('a connection that is marked as disposed is closed when it comes back', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  const connections = connectionsOf(opened.db)
  const connection = await connections.acquireConnection()
  connection.__knex__disposed = 'broken, says the user'
  await connections.releaseConnection(connection)
  await opened.db.raw('select 1')
  expect(opened.pool.snapshot().counts).toMatchObject({ opened: 2, closed: { discarded: 1 } })
})

test('a timeout that cancels ends the statement on the server, and keeps the connection', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  const { db, pool } = opened
  await db.raw('select 1')
  await expect(db.raw('select pg_sleep(20)').timeout(50, { cancel: true })).rejects.toMatchObject({
    name: 'KnexTimeoutError',
    message: expect.stringContaining('Defined query timeout of 50ms exceeded'),
  })
  await vi.waitFor(async () => expect(await active()).toBe(0), { timeout: 1_000 })
  expect((await db.raw('select 1 as one')).rows).toEqual([{ one: 1 }])
  expect(pool.snapshot().counts.opened).toBe(1)
})

test('a timeout that cancels inside a transaction leaves the transaction to its owner', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  await opened.db.transaction(async (trx) => {
    await expect(
      trx.transaction((inner) => inner.raw('select pg_sleep(20)').timeout(50, { cancel: true })),
    ).rejects.toBeInstanceOf(plainKnex.KnexTimeoutError)
    expect((await trx.raw('select 1 as one')).rows).toEqual([{ one: 1 }])
  })
})

test('a timeout that cancels works on a connection that was given to the query', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  await opened.pool.use(async (client) => {
    const sleep = opened.db.raw('select pg_sleep(20)').connection(client).timeout(50, { cancel: true })
    await expect(sleep).rejects.toBeInstanceOf(plainKnex.KnexTimeoutError)
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })
})

test('a cancel that comes late does not hit the next owner', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  const { db } = opened
  const connections = connectionsOf(db)
  const first = await connections.acquireConnection()
  await connections.releaseConnection(first)
  const next = db.raw('select pg_sleep(0.2), 1 as one').then(({ rows }: { rows: unknown[] }) => rows.length)
  await vi.waitFor(async () => expect(await active()).toBe(1))
  await connections.cancelQuery(first)
  expect(await next).toBe(1)
})

test('a timeout that does not cancel keeps no statement running for the next owner', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  const { db, pool } = opened
  await expect(db.raw('select pg_sleep(20)').timeout(50)).rejects.toBeInstanceOf(plainKnex.KnexTimeoutError)
  const since = performance.now()
  await db.raw('select 1')
  expect(performance.now() - since).toBeLessThan(2_000)
  expect(pool.snapshot().counts.opened).toBe(1)
})

test('afterCreate runs once for each connection, before its first use through Knex, whoever opened it', async () => {
  const created: number[] = []
  await using opened = openKnex(
    database.url,
    { max: 2 },
    {
      pool: {
        afterCreate: (connection: Client, done: (error?: Error) => void) => {
          connection.query("set timezone = 'Asia/Tokyo'; select pg_backend_pid() as pid", (error, result) => {
            const [, { rows }] = result as unknown as [unknown, { rows: Array<{ pid: number }> }]
            created.push(rows[0]?.pid ?? 0)
            done(error)
          })
        },
      },
    },
  )
  const { db, pool } = opened
  await pool.query('select 1')
  for (let time = 0; time < 3; time += 1) {
    expect((await db.raw('show timezone')).rows).toEqual([{ TimeZone: 'Asia/Tokyo' }])
  }
  expect(created).toHaveLength(1)
  await Promise.all([db.raw('select pg_sleep(0.3)'), db.raw('select pg_sleep(0.3)')])
  expect(new Set(created).size).toBe(2)
  expect(created).toHaveLength(2)
  pool.reconnect()
  await db.raw('select 1')
  expect(created).toHaveLength(3)
})

test('afterCreate runs once for a connection that several leases of a scope meet at once', async () => {
  const afterCreate = vi.fn<(connection: unknown, done: () => void) => void>((_, done) => void setTimeout(done, 10))
  await using opened = openKnex(database.url, {}, { pool: { afterCreate } })
  await runInScope({ label: 'request', mode: 'session' }, () =>
    Promise.all([opened.db.raw('select 1'), opened.db.raw('select 2')]),
  )
  expect(afterCreate).toHaveBeenCalledTimes(1)
})

test('a failing afterCreate reaches the caller, and its connection is closed', async () => {
  let fails = true
  const afterCreate = (_: unknown, done: (error?: Error) => void): void =>
    done(fails ? new Error('not today') : undefined)
  await using opened = openKnex(database.url, { max: 1 }, { pool: { afterCreate } })
  await expect(opened.db.raw('select 1')).rejects.toThrow('not today')
  fails = false
  await opened.db.raw('select 1')
  expect(opened.pool.snapshot().counts).toMatchObject({ opened: 2, closed: { discarded: 1 } })
})

test('validate is asked before each use, and what it refuses is closed', async () => {
  const warned: string[] = []
  const answers: Array<boolean | Error> = [true, false, new Error('odd'), true, true]
  const validate = async (): Promise<boolean> => {
    const answer = answers.shift() ?? true
    if (answer instanceof Error) throw answer
    return answer
  }
  await using opened = openKnex(
    database.url,
    { max: 1 },
    { pool: { validate }, log: { warn: (message: string) => void warned.push(message) } },
  )
  await opened.db.raw('select 1')
  expect(opened.pool.snapshot().counts.opened).toBe(1)
  await opened.db.raw('select 1')
  expect(opened.pool.snapshot().counts).toMatchObject({ opened: 3, closed: { discarded: 2 } })
  expect(warned).toEqual(['Pool validate threw an error: odd'])
  expect(answers).toHaveLength(1)
})

test('a validate that refuses everything ends with the timeout, which says so', async () => {
  await using opened = openKnex(
    database.url,
    { max: 1 },
    { acquireConnectionTimeout: 600, pool: { validate: () => false } },
  )
  const error = await opened.db.raw('select 1').catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(plainKnex.KnexTimeoutError)
  expect((error as Error).message).toMatch(/pool\.validate of Knex refused \d+ connections? of pool ".+" within 600 ms/)
  expect(error).toMatchObject({ code: 'LEASEHOLD_ACQUIRE_TIMEOUT', statusCode: 503 })
})

test('a validate that does not answer takes no longer than the timeout, and its connection is closed', async () => {
  await using opened = openKnex(
    database.url,
    { max: 1 },
    { acquireConnectionTimeout: 600, pool: { validate: () => new Promise(() => {}) } },
  )
  const error = await opened.db.raw('select 1').catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(plainKnex.KnexTimeoutError)
  expect((error as Error).message).toContain('pool.validate of Knex did not say')
  expect(error).toMatchObject({ code: 'LEASEHOLD_ACQUIRE_TIMEOUT', cause: { phase: 'check' } })
  expect(opened.pool.snapshot().counts.closed).toMatchObject({ discarded: 1 })
})

test('an afterCreate that never calls back takes no longer than the timeout, and the next connection is asked anew', async () => {
  let hangs = true
  const afterCreate = (_: unknown, done: () => void): void => {
    if (!hangs) done()
  }
  await using opened = openKnex(database.url, { max: 1 }, { acquireConnectionTimeout: 600, pool: { afterCreate } })
  const error = await opened.db.raw('select 1').catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(plainKnex.KnexTimeoutError)
  expect((error as Error).message).toContain('afterCreate')
  hangs = false
  await opened.db.raw('select 1')
})

test('whoever gives up while its connection is validated leaves, and the connection is kept', async () => {
  const validate = vi.fn<() => Promise<boolean>>(() => new Promise(() => {}))
  await using opened = openKnex(database.url, { max: 1 }, { pool: { validate } })
  const pool = opened.db.client.pool as { acquire(): { readonly promise: Promise<unknown>; abort(): void } }
  const pending = pool.acquire()
  await vi.waitFor(() => expect(validate).toHaveBeenCalledTimes(1))
  pending.abort()
  await expect(pending.promise).rejects.toMatchObject({ code: 'LEASEHOLD_ABORTED' })
  expect(opened.pool.snapshot().connections).toMatchObject({ lent: 0, idle: 1 })
})

test('search paths of several Knex on one pool do not mix', async () => {
  await elsewhere((client) =>
    client.query(`create schema "Tenant a"; create schema b;
      create table "Tenant a".t as select 'a' as of; create table b.t as select 'b' as of; create table t as select 'public' as of`),
  )
  await using opened = openKnex(database.url, { max: 2 })
  const a = createKnex(opened.pool, { searchPath: ['Tenant a', 'public'] })
  const b = createKnex(opened.pool, { searchPath: 'b' })
  const none = opened.db
  const asked = await Promise.all(
    Array.from({ length: 30 }, async (_, at) => {
      const [db, of] = [[a, 'a'] as const, [b, 'b'] as const, [none, 'public'] as const][at % 3] ?? [none, 'public']
      return [of, await db('t').pluck('of')]
    }),
  )
  for (const [of, found] of asked) expect(found).toEqual([of])
})

test('a search path that a rollback undid is set again', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  const { pool } = opened
  const catalog = createKnex(pool, { searchPath: 'pg_catalog' })
  const pathOf = async (db: Knex): Promise<unknown> => (await db.raw<{ rows: unknown }>('show search_path')).rows
  await runInScope({ label: 'by hand', mode: 'session' }, async () => {
    const connection = await pool.connect()
    for (const [db, path] of [
      [catalog, 'pg_catalog'],
      [opened.db, '"$user", public'],
      [catalog, 'pg_catalog'],
    ] as const) {
      await connection.query('begin')
      await db.raw('select 1')
      await connection.query('rollback')
      expect(await pathOf(db)).toEqual([{ search_path: path }])
    }
    connection.release()
  })
})

test('a search path goes along with a statement, once on a connection, and not again while it stays', async () => {
  await using opened = openKnex(database.url, { max: 1 }, { searchPath: 'pg_catalog' })
  const { db, pool } = opened
  const sent: string[] = []
  pool.on('connect', (client) => {
    const { stream } = (client as unknown as { connection: { stream: { write(data: Buffer): boolean } } }).connection
    const write = stream.write.bind(stream)
    stream.write = (data, ...more) => {
      if (data.includes('set_config') || data.includes('set search_path')) sent.push(data.toString('latin1'))
      return write(data, ...more)
    }
  })
  await db.raw('select 1')
  await db.raw('select 2')
  await db.transaction((trx) => trx.raw('select 3'))
  expect(await db.raw<{ rows: unknown }>('show search_path')).toMatchObject({ rows: [{ search_path: 'pg_catalog' }] })
  expect(sent).toHaveLength(1)

  const { rows } = await pool.query('show search_path')
  expect(rows).toEqual([{ search_path: '"$user", public' }])
})

test('destroy leaves the pool alone, Knex refuses from then on, and initialize revives it', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  const { db, pool } = opened
  await db.raw('select 1')
  const running = db.raw('select pg_sleep(0.05), 1 as one')
  const settled = running.then((result: { rows: unknown[] }) => result.rows.length)
  await vi.waitFor(() => expect(pool.snapshot().connections.lent).toBe(1))
  await db.destroy()
  await expect(db.raw('select 1')).rejects.toThrow('Unable to acquire a connection')
  expect(await settled).toBe(1)
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  db.initialize()
  expect((await db.raw('select 2 as two')).rows).toEqual([{ two: 2 }])
  await db.destroy()
  db.initialize({ client: 'pg', connection: {} })
  expect((await db.raw('select 2 as two')).rows).toEqual([{ two: 2 }])
  expect(pool.snapshot().counts.opened).toBe(1)
})

test('after the pool has ended Knex says so', async () => {
  const { db, pool } = openKnex(database.url)
  await db.raw('select 1')
  await pool.end()
  const error: unknown = await db.raw('select 1').then(undefined, (thrown: unknown) => thrown)
  expect(isLeaseholdError(error) && error.code).toBe('LEASEHOLD_POOL_CLOSED')
})

test('a killed backend fails the query that it ran, costs one connection, and not the process', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  const { db, pool } = opened
  const failed = expect(db.raw('select pg_terminate_backend(pg_backend_pid())')).rejects.toMatchObject({
    code: '57P01',
  })
  await failed
  expect((await db.raw('select 1 as one')).rows).toEqual([{ one: 1 }])
  const trx = await db.transaction()
  const { rows } = await trx.raw<{ rows: Array<{ pid: number }> }>('select pg_backend_pid() as pid')
  await elsewhere((client) => client.query('select pg_terminate_backend($1)', [rows[0]?.pid]))
  await expect(trx.raw('select 1')).rejects.toBeInstanceOf(Error)
  await trx.rollback()
  expect((await db.raw('select 1 as one')).rows).toEqual([{ one: 1 }])
  expect(pool.snapshot().counts).toMatchObject({ opened: 3, closed: { lost: 2 } })
})

test('the numbers of the pool are those that monitors of Knex read', async () => {
  await using opened = openKnex(database.url, { max: 1, min: 0 })
  const { db } = opened
  const { pool } = connectionsOf(db)
  const trx = await db.transaction()
  const waiting = db.raw('select 1').then(() => {})
  await vi.waitFor(() => expect(pool.numPendingAcquires()).toBe(1))
  expect([pool.numUsed(), pool.numFree(), pool.numPendingCreates(), pool.numPendingValidations()]).toEqual([1, 0, 0, 0])
  expect([pool.min, pool.max]).toEqual([0, 1])
  await trx.commit()
  await waiting
  await vi.waitFor(() => expect([pool.numUsed(), pool.numFree()]).toEqual([0, 1]))
})

test('a health check that takes a connection of the pool itself may give up waiting, and leaves nobody in the queue', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  const { db } = opened
  const client = connectionsOf(db)
  const trx = await db.transaction()
  const pending = client.pool.acquire()
  await vi.waitFor(() => expect(client.pool.numPendingAcquires()).toBe(1))
  pending.abort()
  await expect(pending.promise).rejects.toMatchObject({ code: 'LEASEHOLD_ABORTED' })
  expect(client.pool.numPendingAcquires()).toBe(0)
  await trx.commit()
  const granted = client.pool.acquire()
  const connection = await granted.promise
  granted.abort()
  await client.releaseConnection(connection)
  expect([client.pool.numUsed(), client.pool.numFree()]).toEqual([0, 1])
})
