import { runInScope } from '@leasehold/core'
import { createPgPool, type LeasedPgPool, type LeasedPgPoolOptions } from '@leasehold/pg'
import { usePostgres } from '@leasehold/testkit/postgres'
import { afterEach, expect, test } from 'vitest'

const database = usePostgres()
const pools: LeasedPgPool[] = []

afterEach(() => Promise.all(pools.splice(0).map((pool) => pool.end())))

/** With one connection, which is open. */
async function openPool(leasehold: NonNullable<LeasedPgPoolOptions['leasehold']>): Promise<LeasedPgPool> {
  const pool = createPgPool({ connectionString: database.url, max: 1, leasehold })
  pools.push(pool)
  await pool.query('select 1')
  return pool
}

/** As long work of its own, a collection of garbage, a debugger or a suspended machine makes it. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

/** `query` is sent, its answer comes to the socket, and nobody reads it until long after its time. */
async function answeredWhileStandingStill<R>(query: Promise<R>): Promise<R> {
  // Once everything that goes out in this turn is out.
  await new Promise((resolve) => setImmediate(resolve))
  standStill(500)
  return query
}

test('a statement that was answered in time is not given up', async () => {
  const pool = await openPool({ queryTimeoutMs: 200 })
  const { rows } = await answeredWhileStandingStill(pool.query('select 1 as one'))
  expect(rows).toEqual([{ one: 1 }])
  expect(pool.snapshot().counts).toMatchObject({ opened: 1 })
})

test('a statement that was answered before the deadline of its request is not given up', async () => {
  const pool = await openPool({})
  const work = runInScope({ label: 'GET /one', deadlineMs: 200 }, () => pool.query('select 1 as one'))
  expect((await answeredWhileStandingStill(work)).rows).toEqual([{ one: 1 }])
})

test('who waits for a connection gets the one that could have come back in time', async () => {
  const pool = await openPool({ acquireTimeoutMs: 200 })
  const both = Promise.all([pool.query('select 1 as one'), pool.query('select 2 as two')])
  const [first, second] = await answeredWhileStandingStill(both)
  expect([first.rows, second.rows]).toEqual([[{ one: 1 }], [{ two: 2 }]])
})

test('a statement that the server has not answered is given up all the same', async () => {
  const pool = await openPool({ queryTimeoutMs: 200 })
  const slow = answeredWhileStandingStill(pool.query('select pg_sleep(20)'))
  await expect(slow).rejects.toMatchObject({ code: 'LEASEHOLD_ABORTED', why: 'query-timeout' })
})
