import { runInScope } from '@leasehold/core'
import { usePostgres } from '@leasehold/testkit/postgres'
import { once } from 'node:events'
import { PassThrough, Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { pipeline } from 'node:stream/promises'
import { expect, test, vi } from 'vitest'
import { type OpenedKnex, openKnex } from './open-knex.js'

const database = usePostgres()
const many = 'select generate_series(1, 100000) as n'

async function allIsBack({ db, pool }: OpenedKnex): Promise<void> {
  await vi.waitFor(() => expect(pool.snapshot().connections).toMatchObject({ lent: 0, recycling: 0 }))
  // The one connection works, and nothing of the stream comes along with its answer.
  expect((await db.raw('select 1 as one')).rows).toEqual([{ one: 1 }])
}

test('a stream that is read to its end gives its connection back', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  let sum = 0
  for await (const row of opened.db.raw('select generate_series(1, 1000) as n').stream()) {
    sum += (row as { n: number }).n
  }
  expect(sum).toBe(500_500)
  await allIsBack(opened)
  expect(opened.pool.snapshot().counts.opened).toBe(1)
})

test('a stream handed to a function ends with it', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  const seen: unknown[] = []
  const sink = new Writable({
    objectMode: true,
    write(row, _, done) {
      seen.push(row)
      done()
    },
  })
  await opened.db.raw('select generate_series(1, 3) as n').stream((stream) => stream.pipe(sink))
  await vi.waitFor(() => expect(seen).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]))
  await allIsBack(opened)
})

test('a stream that is left half read gives its connection back', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  for await (const row of opened.db.raw(many).stream()) {
    if ((row as { n: number }).n === 50) break
  }
  await allIsBack(opened)
  expect(opened.pool.snapshot().counts.opened).toBe(1)
})

test('a stream that is destroyed before it has its connection gives it back', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  const stream = opened.db.raw(many).stream()
  stream.destroy()
  await once(stream, 'close')
  await allIsBack(opened)
})

test('a stream whose reader fails gives its connection back', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  const failing = new Writable({ objectMode: true, write: (_row, _encoding, done) => done(new Error('full')) })
  await expect(pipeline(opened.db.raw(many).stream(), failing)).rejects.toThrow('full')
  await allIsBack(opened)
})

test('a stream whose statement fails, at once or half-way, says so and gives its connection back', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  const sink = (): Writable => new PassThrough({ objectMode: true }).resume()
  await expect(pipeline(opened.db.raw('select nothing').stream(), sink())).rejects.toMatchObject({ code: '42703' })
  await allIsBack(opened)
  const halfWay = opened.db.raw('select 1 / (500 - n) from generate_series(1, 1000) n')
  await expect(pipeline(halfWay.stream(), sink())).rejects.toMatchObject({ code: '22012' })
  await allIsBack(opened)
  expect(opened.pool.snapshot().counts.opened).toBe(1)
})

test('a stream whose backend is killed says so, and the process lives', async () => {
  await using opened = openKnex(database.url, { max: 2 })
  const stream = opened.db.raw(many).stream()
  await once(stream, 'readable')
  const failed = once(stream, 'error')
  await opened.db.raw(
    'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()',
  )
  stream.resume()
  // pg's own word for it, or the socket's: whichever comes first.
  expect(await failed).toEqual([expect.any(Error)])
  await allIsBack(opened)
})

test('a stream that nobody reads or listens to is taken back with its scope, and the process lives', async () => {
  const logged: string[] = []
  await using opened = openKnex(
    database.url,
    { max: 1, leasehold: { closeGraceMs: 20 } },
    { log: { error: (message: string) => void logged.push(message) } },
  )
  await runInScope({ label: 'careless' }, async () => {
    const stream = opened.db.raw(many).stream()
    await once(stream, 'readable')
  })
  await allIsBack(opened)
  await vi.waitFor(() => expect(logged).toEqual([expect.stringContaining('its scope closed')]))
})

test('a stream for which no connection is free tells its listeners, and does not end the process without them', async () => {
  const logged: string[] = []
  await using opened = openKnex(
    database.url,
    { max: 1 },
    { acquireConnectionTimeout: 50, log: { warn() {}, error: (message: string) => void logged.push(message) } },
  )
  const connection = await opened.pool.connect()
  const [error] = (await once(opened.db.raw(many).stream(), 'error')) as [Error]
  expect(error).toMatchObject({ code: 'LEASEHOLD_ACQUIRE_TIMEOUT' })
  opened.db.raw(many).stream()
  await vi.waitFor(() => expect(logged).toEqual([expect.stringContaining('Knex: Timeout acquiring a connection')]))
  connection.release()
  await allIsBack(opened)
})

test('in a transaction a stream can be left half read, and the transaction goes on', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  await opened.db.transaction(async (trx) => {
    for await (const row of trx.raw(many).stream()) {
      if ((row as { n: number }).n === 50) break
    }
    expect((await trx.raw('select 1 as one')).rows).toEqual([{ one: 1 }])
  })
  await allIsBack(opened)
})

test('in a transaction a statement behind a stream that nobody reads on fails, and names the stream', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  const { db, pool } = opened
  await db.raw('create table copies (n int)')
  await using impatient = openKnex(database.url, { max: 1 }, { acquireConnectionTimeout: 100 })
  await impatient.pool.query('select 1')
  const copying = impatient.db.transaction(async (trx) => {
    for await (const row of trx.raw(`${many}, 'secret' as word`).stream())
      await trx('copies').insert({ n: (row as { n: number }).n })
  })
  await expect(copying).rejects.toMatchObject({
    code: 'LEASEHOLD_ACQUIRE_TIMEOUT',
    message: expect.stringMatching(/behind a stream .*: select generate_series\(\?, \?\) as n, \? as word\./),
  })
  await allIsBack(impatient)
  expect(await db('copies')).toEqual([])
  expect(pool.snapshot().connections.lent).toBe(0)
})

test('in a transaction a stream behind one that nobody reads on fails too', async () => {
  await using opened = openKnex(database.url, { max: 1 }, { acquireConnectionTimeout: 100 })
  await opened.pool.query('select 1')
  await opened.db.transaction(async (trx) => {
    const unread = trx.raw(many).stream()
    await once(unread, 'readable')
    const [error] = (await once(trx.raw('select 2').stream(), 'error')) as [Error]
    expect(error).toMatchObject({ code: 'LEASEHOLD_ACQUIRE_TIMEOUT' })
    unread.destroy()
  })
  await allIsBack(opened)
})

test('a stream of nothing says so, in a transaction too', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  const { db } = opened
  expect(await once(db.raw('').stream(), 'error')).toMatchObject([{ message: 'The query is empty' }])
  await db.transaction(async (trx) => {
    expect(await once(trx.raw('').stream(), 'error')).toMatchObject([{ message: 'The query is empty' }])
  })
  await allIsBack(opened)
})

test('in a transaction a statement waits as long as the stream before it is read', async () => {
  await using opened = openKnex(database.url, { max: 1 }, { acquireConnectionTimeout: 60 })
  await opened.pool.query('select 1')
  await opened.db.transaction(async (trx) => {
    const stream = trx.raw('select generate_series(1, 400) as n').stream({ batchSize: 10, highWaterMark: 10 })
    const next = trx.raw('select 1 as one').then(({ rows }: { rows: unknown }) => rows)
    let read = 0
    for await (const _ of stream) {
      read += 1
      if (read % 40 === 0) await delay(20)
    }
    expect(read).toBe(400)
    expect(await next).toEqual([{ one: 1 }])
  })
})

test('a stream passes rows through postProcessResponse', async () => {
  await using opened = openKnex(
    database.url,
    { max: 1 },
    { postProcessResponse: (row: { n: number }) => ({ double: row.n * 2 }) },
  )
  const rows: unknown[] = []
  for await (const row of opened.db.raw('select 2 as n').stream()) rows.push(row)
  expect(rows).toEqual([{ double: 4 }])
})
