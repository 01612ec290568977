import { usePostgres } from '@leasehold/testkit/postgres'
import { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { LeasedPgPool } from '../facade/leased-pg-pool.js'
import { ROUTINES } from '../sql/catalogue-queries.js'
import { usePools } from '../testing/leased-pool.js'

// Issue 4 §1: the catalogue is read once per database, off the request's path, and anew when functions may be others.

const database = usePostgres()
let readings = 0

/** Counts what is sent to the server to learn of its functions. */
class CountingClient extends Client {
  override query(...args: unknown[]): never {
    if (args[0] === ROUTINES) readings += 1
    return super.query(...(args as [string])) as never
  }
}

const open = usePools(database)
const openPool = (max = 2): LeasedPgPool => open({ max, Client: CountingClient })

const viewOf = (index: number): string => `create or replace view reading_${index % 10} as select ${index} as a`

beforeAll(async () => {
  const admin = new Client(database.url)
  await admin.connect()
  await admin.query('create table read_by_all (id int)')
  await admin.end()
})
beforeEach(() => {
  readings = 0
})
afterAll(async () => {
  const admin = new Client(database.url)
  await admin.connect()
  await admin.query('drop table read_by_all; drop function if exists told() cascade')
  for (let index = 0; index < 10; index += 1) await admin.query(`drop view if exists reading_${index} cascade`)
  await admin.end()
})

async function serve(pool: LeasedPgPool, times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    await pool.query('select * from read_by_all')
    await pool.leases.recycled
  }
}

describe('the catalogue of the database is read', () => {
  test('once for a service that only works with its tables', async () => {
    const pool = openPool()
    await serve(pool, 100)
    expect(readings).toBe(1)
  })

  test.each<readonly [string, (pool: LeasedPgPool) => Promise<void>]>([
    [
      'on one connection',
      async (pool) => {
        await pool.use(async (client) => {
          for (let index = 0; index < 300; index += 1) await client.query(viewOf(index))
        })
      },
    ],
    [
      'one statement at a time',
      async (pool) => {
        for (let index = 0; index < 300; index += 1) {
          await pool.query(viewOf(index))
          await pool.leases.recycled
        }
      },
    ],
    [
      'in transactions',
      async (pool) => {
        for (let index = 0; index < 100; index += 1) {
          await pool.transaction(async (client) => {
            for (let part = 0; part < 3; part += 1) await client.query(viewOf(index * 3 + part))
          })
          await pool.leases.recycled
        }
      },
    ],
  ])('once after a migration of 300 statements that make functions or views, %s', async (_, migrate) => {
    const pool = openPool()
    await serve(pool, 3)
    readings = 0
    await migrate(pool)
    await pool.leases.recycled
    expect(readings).toBe(0)

    await serve(pool, 20)
    expect(readings).toBe(1)
    expect(pool.snapshot().counts.closed).toMatchObject({ 'reset-failed': 0, lost: 0 })
  })
})

describe('what is known of functions is never older than what they do', () => {
  const harmless = 'create or replace function told() returns int language sql as $$ select 1 $$'
  const stateful = `create or replace function told() returns int language plpgsql as
    $$ begin perform set_config('app.told', '1', false); return 1; end $$`

  test('where a table was made that calls one unseen', async () => {
    const pool = openPool()
    await pool.query(stateful)
    await serve(pool, 2)
    await pool.query('create table if not exists read_with_default (id int, a int default told())')
    await pool.leases.recycled
    const lease = await pool.acquire()
    await lease.client.query('insert into read_with_default (id) values (1)')
    lease.release()
    await lease.recycled
    const told = await pool.query(`select current_setting('app.told', true) as told`)
    expect(told.rows).not.toEqual([{ told: '1' }])
    await pool.query('drop table read_with_default')
  })

  test('where others have read it between the change and its commit', async () => {
    const pool = openPool(3)
    await pool.query(harmless)
    await pool.query('select told()')
    await pool.leases.recycled
    const migration = await pool.acquire()
    await migration.client.query('begin')
    await migration.client.query(stateful)
    // Calls the old one, and has it judged.
    await pool.query('select told()')
    await pool.leases.recycled
    await migration.client.query('commit')

    // The migration goes on, and has not come back.
    const caller = await pool.acquire()
    await caller.client.query('select told()')
    expect(caller.pins).toEqual([
      expect.objectContaining({ kind: expect.stringMatching(/^(setting|unknown)$/) as string }),
    ])
    caller.release()
    await caller.recycled
    const next = await pool.acquire()
    expect((await next.client.query(`select current_setting('app.told', true) as told`)).rows).not.toEqual([
      { told: '1' },
    ])
    next.release()
    migration.release()
  })
})
