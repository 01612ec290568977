import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { collectGarbage } from '@leasehold/testkit'
import { usePostgres } from '@leasehold/testkit/postgres'
import { Query } from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'
import { beforeAll, expect, test, vi } from 'vitest'
import { backendOf } from '../testing/backend.js'
import { usePools } from '../testing/leased-pool.js'

const database = usePostgres()
const poolOf = usePools(database)
const released = expect.objectContaining({ code: 'LEASEHOLD_LEASE_RELEASED' }) as unknown

beforeAll(async () => {
  const { Client } = await import('pg')
  const client = new Client(database.url)
  await client.connect()
  await client.query('create table copied (id int)')
  await client.query('create view owner_two as select generate_series(100, 110) as n')
  await client.end()
})

async function rowsOf(readable: Readable): Promise<unknown[]> {
  const rows: unknown[] = []
  for await (const row of readable) rows.push(row)
  return rows
}

test('a cursor reads, and its connection goes to the next owner as it was', async () => {
  const pool = poolOf({ max: 1 })
  const client = await pool.connect()
  const cursor = client.query(new Cursor<{ n: number }>('select generate_series(1, $1::int) as n', [5]))
  expect(await cursor.read(3)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
  expect(await cursor.read(3)).toEqual([{ n: 4 }, { n: 5 }])
  expect(await cursor.read(3)).toEqual([])
  await cursor.close()
  client.release()
  await expect(cursor.read(3)).rejects.toEqual(released)
  expect(pool.snapshot().counts.reset['running statement']).toBe(0)
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
})

test('a cursor left open: the next owner gets its own rows on the same connection, and a late read fails', async () => {
  const pool = poolOf({ max: 1 })
  const client = await pool.connect()
  const cursor = client.query(new Cursor('select generate_series(1, 1000000) as n'))
  await cursor.read(1)
  client.release()
  const next = await pool.connect()
  expect(backendOf(next)).toBe(backendOf(client))
  const rows = next.query<{ n: number }>('select * from owner_two')
  await expect(cursor.read(10)).rejects.toEqual(released)
  const callback = vi.fn<(...args: unknown[]) => void>()
  cursor.read(10, callback)
  expect((await rows).rows).toHaveLength(11)
  await cursor.close()
  expect(callback).toHaveBeenCalledExactlyOnceWith(released)
  expect((await next.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  next.release()
})

test('a read that is under way when the lease ends is answered', async () => {
  const pool = poolOf({ max: 1 })
  const client = await pool.connect()
  const cursor = client.query(new Cursor('select pg_sleep(10)'))
  const reading = cursor.read(1)
  client.release()
  await expect(reading).rejects.toEqual(released)
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
})

test('a cursor closed without waiting for it is closed, and whoever waits is told', async () => {
  const pool = poolOf({ max: 1 })
  const client = await pool.connect()
  const cursor = client.query(new Cursor('select generate_series(1, 10) as n'))
  await cursor.read(1)
  const closed = cursor.close()
  client.release()
  await closed
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  expect(pool.snapshot().counts.reset['running statement']).toBe(0)
})

test('a failing cursor keeps its connection usable, and may be closed late', async () => {
  const pool = poolOf({ max: 1 })
  const client = await pool.connect()
  const cursor = client.query(new Cursor('select 1 / (5 - n) from generate_series(1, 9) as n'))
  await expect(cursor.read(100)).rejects.toMatchObject({ code: '22012' })
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  // It sends a message that no Sync follows: the line would stay busy for ever.
  await cursor.close()
  expect((await client.query('select 2 as two')).rows).toEqual([{ two: 2 }])
  client.release()
  expect((await pool.query('select 3 as three')).rows).toEqual([{ three: 3 }])
})

test('a query stream flows, fails and is abandoned without cost to the next owner', async () => {
  const pool = poolOf({ max: 1 })
  const client = await pool.connect()
  expect(await rowsOf(client.query(new QueryStream('select generate_series(1, 500) as n')))).toHaveLength(500)
  const failing = client.query(new QueryStream('select 1 / (5 - n) from generate_series(1, 9) as n'))
  await expect(rowsOf(failing)).rejects.toMatchObject({ code: '22012' })
  const abandoned = client.query(new QueryStream('select generate_series(1, 1000000) as n', [], { batchSize: 10 }))
  for await (const row of abandoned) {
    expect(row).toEqual({ n: 1 })
    break
  }
  client.release()
  const next = await pool.connect()
  expect(backendOf(next)).toBe(backendOf(client))
  expect((await next.query('select * from owner_two')).rows).toHaveLength(11)
})

test('a query stream still read after its lease fails, and does not end as if all rows had come', async () => {
  const pool = poolOf({ max: 1 })
  const client = await pool.connect()
  const stream = client.query(new QueryStream('select generate_series(1, 1000000) as n', [], { batchSize: 10 }))
  const reading = (async () => {
    for await (const row of stream) if ((row as { n: number }).n === 25) client.release()
  })()
  await expect(reading).rejects.toEqual(released)
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
})

test('a stream that nobody listens to does not end the process when its lease ends', async () => {
  const pool = poolOf({ max: 1 })
  const client = await pool.connect()
  client.query(new QueryStream('select pg_sleep(10)')).resume()
  client.query(new Query('select 1'))
  client.query(copyFrom('copy copied from stdin'))
  client.release()
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
})

test('COPY from and to the client work through a handle', async () => {
  const pool = poolOf({ max: 1 })
  const client = await pool.connect()
  await client.query('begin')
  await pipeline(Readable.from(['1\n', '2\n', '3\n']), client.query(copyFrom('copy copied from stdin')))
  const text = (await rowsOf(client.query(copyTo('copy copied to stdout')))).join('')
  await client.query('rollback')
  client.release()
  expect(text).toBe('1\n2\n3\n')
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  expect(pool.snapshot().counts.opened).toBe(1)
})

test('a COPY from the client that was left half-way is undone, and its connection serves the next owner', async () => {
  const pool = poolOf({ max: 1 })
  const client = await pool.connect()
  const copy = client.query(copyFrom('copy copied from stdin'))
  const failed = new Promise((resolve) => copy.on('error', resolve))
  await new Promise((resolve) => copy.write('1\n', resolve))
  client.release()
  expect(await failed).toEqual(released)
  copy.write('2\n')
  expect((await pool.query('select * from copied')).rows).toEqual([])
  expect(pool.snapshot().counts.opened).toBe(1)
})

test('a COPY from the client that was released before the server had answered is undone too', async () => {
  const pool = poolOf({ max: 1 })
  for (let round = 0; round < 5; round++) {
    const client = await pool.connect()
    client.query(copyFrom('copy copied from stdin')).write('1\n')
    client.release()
  }
  expect((await pool.query('select * from copied')).rows).toEqual([])
})

test('a COPY that was sent as a prepared statement is ended as well', async () => {
  const pool = poolOf({ max: 1 })
  const client = await pool.connect()
  // Its Sync came while the server waited for data, and was ignored: pg alone would wait for ever.
  const hanging = client.query({ text: 'copy copied from stdin', name: 'copying' })
  const outcome = expect(hanging).rejects.toBeInstanceOf(Error)
  await new Promise((resolve) => setTimeout(resolve, 30))
  client.release()
  await outcome
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
})

test('a COPY to the client that was left half read costs its connection at once, and the server stops', async () => {
  const pool = poolOf({ max: 1 })
  const client = await pool.connect()
  const copy = client.query(copyTo('copy (select repeat($$x$$, 1000) from generate_series(1, 1000000)) to stdout'))
  copy.on('error', () => {})
  await new Promise((resolve) => copy.once('readable', resolve))
  const startedAt = performance.now()
  client.release()
  const next = await pool.connect()
  expect(performance.now() - startedAt).toBeLessThan(4_000)
  expect(backendOf(next)).not.toBe(backendOf(client))
  // It was blocked in writing, where it heeds no cancel, and finds out by its broken socket.
  await vi.waitFor(async () => {
    const { rows } = await next.query('select 1 from pg_stat_activity where pid = $1', [backendOf(client)])
    expect(rows).toEqual([])
  })
})

test('a Query object works with events, and with a callback', async () => {
  const client = await poolOf().connect()
  const query = client.query(new Query('select generate_series(1, 3) as n'))
  const rows: unknown[] = []
  query.on('row', (row) => rows.push(row))
  await new Promise((resolve) => query.on('end', resolve))
  expect(rows).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
  const callback = vi.fn<(...args: unknown[]) => void>()
  const called = new Promise<void>((resolve) => {
    client.query(
      new Query('select $1::int as n', [4], (error, result) => {
        callback(error, result.rows)
        resolve()
      }),
    )
  })
  await called
  expect(callback).toHaveBeenCalledExactlyOnceWith(null, [{ n: 4 }])
  client.release()
})

test('pool.query gives its connection back when a Submittable is done, whether it calls back or not', async () => {
  const pool = poolOf({ max: 1 })
  const stream = new QueryStream('select generate_series(1, 10) as n')
  const answered = pool.query(stream) as unknown as Promise<unknown>
  expect(await rowsOf(stream)).toHaveLength(10)
  await answered
  const cursor = new Cursor('select generate_series(1, 10) as n')
  const done = pool.query(cursor) as unknown as Promise<unknown>
  expect(await cursor.read(2)).toHaveLength(2)
  await cursor.close()
  await done
  const query = new Query('nonsense')
  await expect(pool.query(query) as unknown as Promise<unknown>).rejects.toMatchObject({ code: '42601' })
  await vi.waitFor(() => expect(pool.idleCount).toBe(1))
})

test('many cursors leave no listeners on the connection', async () => {
  const pool = poolOf({ max: 1 })
  const listeners = (client: object): number => {
    const { connection } = client as { connection: NodeJS.EventEmitter }
    return connection.eventNames().reduce((sum, name) => sum + connection.listenerCount(name), 0)
  }
  const client = await pool.connect()
  const before = listeners(client)
  for (const text of [
    'select 1',
    'nonsense',
    'select generate_series(1, 100)',
    'create temp table if not exists t ()',
  ]) {
    for (let round = 0; round < 5; round++) {
      const cursor = client.query(new Cursor(text))
      await cursor.read(1).catch(() => {})
      await cursor.close()
    }
  }
  expect(listeners(client)).toBe(before)
})

test.each([
  ['answered', `select 'x' as val limit 0`],
  ['refused', 'select from nowhere'],
])(
  'a query object whose callback gives the connection back is told nothing more, when it was %s',
  async (_how, text) => {
    const pool = poolOf({ max: 1 })
    const client = await pool.connect()
    const told: unknown[] = []
    const ended = new Promise<void>((resolve) => {
      const query = new Query(text, (error: Error | undefined) => {
        told.push(error === undefined ? 'answer' : 'error')
        client.release()
        resolve()
      })
      client.query(query)
      query.on('error', (error) => told.push(error))
    })

    await ended
    await pool.query('select 1')

    expect(told).toHaveLength(1)
  },
)

test('what a client has sent is not kept by its lease, however long that goes on', async () => {
  const client = await poolOf({ max: 1 }).connect()
  const sent = await (async () => {
    const cursor = client.query(new Cursor('select generate_series(1, 3)'))
    await cursor.read(10)
    const query = client.query(new Query('select 1'))
    await new Promise((resolve) => query.once('end', resolve))
    return [cursor, query].map((each) => new WeakRef<object>(each))
  })()
  // pg itself keeps the last.
  await client.query('select 1')

  await collectGarbage()

  expect(sent.map((each) => each.deref())).toEqual([undefined, undefined])
  client.release()
})
