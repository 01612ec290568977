import { runInScope } from '@leasehold/core'
import { usePostgres } from '@leasehold/testkit/postgres'
import type * as pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import Cursor from 'pg-cursor'
import { beforeAll, describe, expect, test } from 'vitest'
import type { LeasedPgPool } from '../facade/leased-pg-pool.js'
import { usePools } from '../testing/leased-pool.js'

const database = usePostgres()
const poolOf = usePools(database)

beforeAll(async () => {
  const { Client } = await import('pg')
  const client = new Client(database.url)
  await client.connect()
  await client.query('create table copied (id int)')
  await client.end()
})

const MANY = 'select generate_series(1, 1000000) as n'

/** What somebody may leave open when he gives his connection back. */
const LEFT_OPEN: ReadonlyArray<readonly [string, (client: pg.PoolClient) => Promise<unknown>]> = [
  ['a cursor that was read half-way', (client) => client.query(new Cursor(MANY)).read(2)],
  ['a cursor that nobody has read', async (client) => void client.query(new Cursor(MANY))],
  [
    'a cursor whose read is under way',
    async (client) => {
      const cursor = client.query(new Cursor('select pg_sleep(0.1), generate_series(1, 3)'))
      cursor.read(1).catch(() => {})
    },
  ],
  [
    'a cursor that ends with its read',
    async (client) =>
      void client
        .query(new Cursor('select 1'))
        .read(9)
        .catch(() => {}),
  ],
  ['a cursor that has no rows', async (client) => void client.query(new Cursor('create temp table gone ()'))],
  [
    'a COPY that has begun',
    async (client) => {
      const copy = client.query(copyFrom('copy copied from stdin'))
      copy.on('error', () => {})
      await new Promise((resolve) => copy.write('1\n', resolve))
    },
  ],
  [
    'a COPY that is beginning',
    async (client) => {
      client.query(copyFrom('copy copied from stdin')).on('error', () => {})
    },
  ],
]

async function leave(pool: LeasedPgPool, leaveOpen: (client: pg.PoolClient) => Promise<unknown>): Promise<void> {
  const client = await pool.connect()
  await leaveOpen(client)
  client.release()
}

describe.each(LEFT_OPEN)('%s keeps nobody waiting who shares its session', (what, leaveOpen) => {
  test('in a scope of mode session', async () => {
    const pool = poolOf({ max: 1 })
    const next = await runInScope({ label: 'GET /', mode: 'session' }, async () => {
      await leave(pool, leaveOpen)
      return (await pool.query('select 1 as one')).rows
    })
    expect(next).toEqual([{ one: 1 }])
    expect((await pool.query('select 2 as two')).rows).toEqual([{ two: 2 }])
    expect(pool.snapshot().counts.opened).toBe(1)
  })

  test('in a transaction around it', async () => {
    const pool = poolOf({ max: 1 })
    const run = pool.transaction(async () => {
      await leave(pool, leaveOpen)
      return (await pool.query('select 1 as one')).rows
    })
    // The server takes a COPY that was broken off for a failed statement.
    if (what === 'a COPY that has begun') await expect(run).rejects.toMatchObject({ code: '25P02' })
    else expect(await run).toEqual([{ one: 1 }])
    expect((await pool.query('select 2 as two')).rows).toEqual([{ two: 2 }])
    expect(pool.snapshot().counts.opened).toBe(1)
  })
})
