import { runInScope } from '@leasehold/core'
import { usePostgres } from '@leasehold/testkit/postgres'
import Cursor from 'pg-cursor'
import { expect, test, vi } from 'vitest'
import { backendOf } from '../testing/backend.js'
import { usePools } from '../testing/leased-pool.js'

const poolOf = usePools(usePostgres())

async function warningsDuring(work: () => Promise<unknown>): Promise<string[]> {
  const warnings: string[] = []
  const listen = (warning: Error): void => void warnings.push(warning.message)
  process.on('warning', listen)
  await work()
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', listen)
  return warnings
}

test('statements sent at once run in the order in which they were sent, and pg has nothing to warn of', async () => {
  const client = await poolOf().connect()
  const order: number[] = []
  const warnings = await warningsDuring(() =>
    Promise.all(
      [1, 2, 3, 4, 5].map(async (number) => {
        const { rows } = await client.query<{ n: number }>('select $1::int as n, pg_sleep(0.005)', [number])
        order.push(rows[0]?.n ?? 0)
      }),
    ),
  )
  client.release()
  expect(order).toEqual([1, 2, 3, 4, 5])
  expect(warnings).toEqual([])
})

test('a failing statement takes none of those behind it along', async () => {
  const client = await poolOf().connect()
  const outcomes = await Promise.allSettled([
    client.query('select 1'),
    client.query('selec 2'),
    client.query('select 3'),
    client.query({ text: undefined as unknown as string }),
    client.query('select 5'),
  ])
  client.release()
  expect(outcomes.map((outcome) => outcome.status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'rejected',
    'fulfilled',
  ])
})

test('callbacks, promises and cursors take turns with one another', async () => {
  const client = await poolOf().connect()
  const order: string[] = []
  const cursor = client.query(new Cursor('select generate_series(1, 3)'))
  const called = new Promise<void>((resolve) => {
    client.query('select 1', () => {
      order.push('callback')
      resolve()
    })
  })
  const promised = client.query('select 2').then(() => order.push('promise'))
  expect(await cursor.read(2)).toHaveLength(2)
  expect(order).toEqual([])
  await cursor.close()
  await Promise.all([called, promised])
  client.release()
  expect(order).toEqual(['callback', 'promise'])
})

test('a statement that waited for its turn is not sent once its lease is over', async () => {
  const pool = poolOf({ max: 1 })
  const client = await pool.connect()
  await client.query('create table written (by text)')
  const running = client.query('select pg_sleep(10)')
  const waiting = client.query("insert into written values ('a late one')")
  const callback = vi.fn<(...args: unknown[]) => void>()
  client.query("insert into written values ('another')", callback)
  client.release()
  await expect(running).rejects.toMatchObject({ code: '57014' })
  await expect(waiting).rejects.toMatchObject({ code: 'LEASEHOLD_LEASE_RELEASED' })
  expect((await pool.query('select * from written')).rows).toEqual([])
  expect(callback).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'LEASEHOLD_LEASE_RELEASED' }))
})

test('a config may be changed for the next statement while the last one waits', async () => {
  const client = await poolOf().connect()
  const config = { text: 'select $1::int as n', values: [0] }
  const results = [1, 2, 3].map((number) => {
    config.values = [number]
    return client.query<{ n: number }>(config)
  })
  const numbers = (await Promise.all(results)).map(({ rows }) => rows[0]?.n)
  client.release()
  expect(numbers).toEqual([1, 2, 3])
})

test('the handles of a session share one line', async () => {
  const pool = poolOf({ leasehold: { mode: 'session' } })
  const warnings = await warningsDuring(() =>
    runInScope({ label: 'two handles' }, async () => {
      const [one, other] = await Promise.all([pool.connect(), pool.connect()])
      expect(one).not.toBe(other)
      expect(backendOf(one)).toBe(backendOf(other))
      const order: number[] = []
      const run = async (client: typeof one, number: number): Promise<void> => {
        await client.query('select pg_sleep(0.005)')
        order.push(number)
      }
      await Promise.all([run(one, 1), run(other, 2), run(one, 3), run(other, 4), pool.query('select 1')])
      expect(order).toEqual([1, 2, 3, 4])
      one.release()
      await other.query('select 1')
      await expect(one.query('select 1')).rejects.toMatchObject({ code: 'LEASEHOLD_LEASE_RELEASED' })
      other.release()
    }),
  )
  expect(warnings).toEqual([])
})

test('a pipeline keeps several statements on the way', async () => {
  const client = await poolOf({ pipeline: true }).connect()
  expect(client.pipeline).toBe(true)
  const results = await Promise.all(
    [1, 2, 3].map((number) => client.query<{ n: number }>('select $1::int as n', [number])),
  )
  client.release()
  expect(results.map(({ rows }) => rows[0]?.n)).toEqual([1, 2, 3])
})

test('a connection given back with a pipeline on the way is emptied before anybody else gets it', async () => {
  const pool = poolOf({ pipeline: true, max: 1 })
  const client = await pool.connect()
  const sleeping = [1, 2, 3].map(() => client.query('select pg_sleep(10)'))
  client.release()
  const outcomes = await Promise.allSettled(sleeping)
  expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected', 'rejected'])
  expect((await pool.query('select 7 as n')).rows).toEqual([{ n: 7 }])
})

test('statements that wait on a connection that dies are answered', async () => {
  const pool = poolOf()
  const client = await pool.connect()
  client.on('error', () => {})
  const all = [client.query('select pg_sleep(10)'), client.query('select 1'), client.query('select 2')]
  const outcomes = Promise.allSettled(all)
  await pool.query('select pg_terminate_backend($1)', [backendOf(client)])
  expect((await outcomes).map((outcome) => outcome.status)).toEqual(['rejected', 'rejected', 'rejected'])
  client.release()
})

test('query_timeout bounds the wait behind a statement that does not end, as in pg, and the next owner is served', async () => {
  const pool = poolOf({ max: 1, query_timeout: 150 })
  const client = await pool.connect()
  const since = performance.now()
  const outcomes = await Promise.all([
    client.query('select pg_sleep(5)').catch(String),
    client.query('rollback').catch(String),
    new Promise((resolve) => client.query('select 1', (error) => resolve(String(error)))),
    new Promise((resolve) => client.query(new Cursor('select 1')).read(1, (error) => resolve(String(error)))),
  ])
  expect(outcomes).toEqual(Array.from({ length: 4 }, () => 'Error: Query read timeout'))
  client.release()
  await pool.query('select 1')
  expect(performance.now() - since).toBeLessThan(3_000)
})

test('a statement whose turn comes in time has all of its query_timeout for itself, and is answered once', async () => {
  const client = await poolOf({ max: 1, query_timeout: 1_000 }).connect()
  const called = vi.fn<(error: unknown) => void>()
  const first = client.query('select pg_sleep(0.6)')
  await new Promise<void>((resolve) =>
    client.query('select pg_sleep(0.6)', (error) => {
      called(error)
      resolve()
    }),
  )
  await first
  client.release()
  expect(called.mock.calls).toEqual([[null]])
})

test('when the connection ends, what waits for its turn fails with the error of the connection', async () => {
  const pool = poolOf({ max: 1 })
  const client = await pool.connect()
  client.on('error', () => {})

  const outcomes = await Promise.allSettled([
    client.query('select pg_terminate_backend(pg_backend_pid())'),
    client.query('select 1'),
    client.query('select 2'),
  ])
  const later = client.query('select 3')

  expect(outcomes).toMatchObject([
    { reason: { code: '57P01' } },
    { reason: { message: 'Connection terminated unexpectedly' } },
    { reason: { message: 'Connection terminated unexpectedly' } },
  ])
  await expect(later).rejects.toThrow('not queryable')
  client.release()
  expect((await pool.query('select 4 as four')).rows).toEqual([{ four: 4 }])
})
