import { runInScope } from '@leasehold/core'
import { usePgBouncer } from '@leasehold/testkit/pgbouncer'
import { useClient, usePostgres } from '@leasehold/testkit/postgres'
import type * as pg from 'pg'
import Cursor from 'pg-cursor'
import { beforeEach, describe, expect, it, onTestFinished, test, vi } from 'vitest'
import type { LeasedPgPool } from '../facade/leased-pg-pool.js'
import { sessionOf } from '../session/pg-session.js'
import { usePools } from '../testing/leased-pool.js'
import type { PreparedStatementsOptions } from './prepared-statements-options.js'

const database = usePostgres()
const poolOf = usePools(database)
/** Somebody else, of whose statements the pool knows nothing. */
const stranger = useClient(database)

const keeping = (options: PreparedStatementsOptions = {}): LeasedPgPool =>
  poolOf({ max: 1, leasehold: { preparedStatements: { afterUses: 1, ...options } } })

type Asker = Pick<pg.Client, 'query'>

/** What the session keeps, by the server's own word. */
async function keptOn(client: Asker): Promise<readonly string[]> {
  const text = 'select statement from pg_prepared_statements where not from_sql order by prepare_time'
  const { rows } = await client.query<{ statement: string }>(text)
  return rows.map(({ statement }) => statement)
}

const rowsOf = async (client: Asker, text: string, values: unknown[] = [1]): Promise<unknown> =>
  (await client.query({ text, values })).rows

beforeEach(async () => {
  await stranger.query(`
    drop schema if exists other cascade; create schema other;
    drop table if exists things; create table things (id int, name text); insert into things values (1, 'one');
    create table other.things (id int, name text); insert into other.things values (1, 'another')`)
})

const ALL = 'select * from things where id = $1'
const NAME = 'select name from things where id = $1'
const ADD = 'insert into things (id, name) values ($1, $2)'

describe('statements that come often', () => {
  it('are kept by the session from the fifth use on, on whichever connection that is', async () => {
    const pool = poolOf({ max: 2, leasehold: { preparedStatements: true } })
    const [one, two] = [await pool.connect(), await pool.connect()]
    // Where they lead must be asked of each connection first.
    for (const client of [one, two, one, two, one]) expect(await rowsOf(client, NAME)).toEqual([{ name: 'one' }])
    expect(await keptOn(one)).toEqual([])

    for (const client of [one, two, one, two]) expect(await rowsOf(client, NAME)).toEqual([{ name: 'one' }])

    expect([await keptOn(one), await keptOn(two)]).toEqual([[NAME], [NAME]])
    for (const client of [one, two]) client.release()
  })

  it('are read by the server once, and used from then on', async () => {
    const client = await keeping().connect()
    for (let use = 0; use < 8; use += 1) await rowsOf(client, NAME)

    const text = 'select (generic_plans + custom_plans)::int as uses from pg_prepared_statements where statement = $1'
    expect((await stranger.query('show server_version_num')).rows[0]).toBeDefined()
    // The first of the eight found out where the connection leads.
    expect(await rowsOf(client, text, [NAME])).toEqual([{ uses: 7 }])
    client.release()
  })

  it('are not kept where nobody has asked for it, nor where it is switched off', async () => {
    for (const leasehold of [{}, { preparedStatements: false }]) {
      const client = await poolOf({ max: 1, leasehold }).connect()
      for (let use = 0; use < 10; use += 1) await rowsOf(client, NAME)
      expect(await keptOn(client)).toEqual([])
      client.release()
    }
  })

  it('outlive the lease, and the cleaning of what its owner has left', async () => {
    const pool = keeping()
    await pool.query(NAME, [1])
    await pool.use(async (client) => {
      await rowsOf(client, NAME)
      await client.query('set work_mem = 64; create temp table mine (id int)')
    })
    await pool.use(async (client) => {
      expect(await rowsOf(client, NAME)).toEqual([{ name: 'one' }])
      expect(await keptOn(client)).toEqual([NAME])
    })
  })

  it('are as many as were allowed: of more, the server forgets what was not used for longest', async () => {
    const client = await keeping({ max: 2 }).connect()
    const texts = ['a', 'b', 'c', 'd'].map((name) => `select $1::int as ${name}`)
    const [a, b, c, d] = texts as [string, string, string, string]
    for (const text of [a, a, b, a, c, a, d, a]) await rowsOf(client, text)

    expect(await keptOn(client)).toEqual([a, d])
    expect(await rowsOf(client, b)).toEqual([{ b: 1 }])
    expect(await keptOn(client)).toEqual([a, b])
    client.release()
  })

  it('are no longer than was allowed', async () => {
    const client = await keeping({ maxTextLength: NAME.length }).connect()
    for (const text of [NAME, NAME, `${NAME} `, `${NAME} `]) await rowsOf(client, text)
    expect(await keptOn(client)).toEqual([NAME])
    client.release()
  })

  it('are not those that tell a moment, do more than one thing, or leave something on the session', async () => {
    const client = await keeping().connect()
    const texts = [
      `select timestamptz 'now' = $1`,
      `select $1::int where now() > ' Yesterday '`,
      'select $1::int where current_date >= $$today$$',
      `select set_config('app.x', $1, false)`,
      'select pg_advisory_lock($1)',
    ]
    for (const text of texts) for (let use = 0; use < 3; use += 1) await rowsOf(client, text, ['1']).catch(() => {})
    await client.query(ADD, [2, 'two'])
    await client.query(ADD, [3, 'three'])
    expect(await keptOn(client)).toEqual([ADD])
    client.release()
  })

  it('are kept of cursors too, and not where a name was given with them', async () => {
    const client = await keeping().connect()
    await rowsOf(client, 'select $1::int')
    for (let use = 0; use < 2; use += 1) {
      const cursor = client.query(new Cursor(NAME, [1]))
      expect(await cursor.read(10)).toEqual([{ name: 'one' }])
      await cursor.close()
      await client.query({ name: 'mine', text: 'select $1::int as mine', values: [1] })
    }
    expect([...(await keptOn(client))].sort()).toEqual([NAME, 'select $1::int as mine'].sort())
    client.release()
  })

  it('fail as they would have failed', async () => {
    const pool = keeping()
    const plain = stranger
    const bad: Array<[string, unknown[]]> = [
      ['select $1::int', ['x']],
      ['select 1 / $1::int', [0]],
      ['select nothing from things where id = $1', [1]],
      ['select $1::int', [1, 2]],
      ['select * from things where id = $1 and (select 1 from generate_series(1, 2)) = 1', [1]],
    ]
    await pool.query('select $1::int', [1])
    for (const [text, values] of bad) {
      const expected = (await plain.query(text, values).catch((error: unknown) => error)) as object
      for (let use = 0; use < 3; use += 1) {
        await pool.query(text, [1]).catch(() => {})
        const error: unknown = await pool.query(text, values).catch((cause: unknown) => cause)
        expect({ ...(error as object) }).toEqual({ ...expected })
        expect((error as Error).message).toBe((expected as Error).message)
      }
    }
    expect(await pool.query(NAME, [1])).toMatchObject({ rows: [{ name: 'one' }] })
  })
})

test('a kept statement is over when its answer has come, also one that had to be sent twice', async () => {
  const client = await keeping().connect()
  for (let use = 0; use < 3; use += 1) await rowsOf(client, ALL)
  const { wire, connection } = sessionOf(client)
  const seen: unknown[] = []
  for (const event of ['bindComplete', 'commandComplete', 'readyForQuery']) {
    connection?.on(event, () => seen.push([event, wire?.isRunning]))
  }
  const whole = [
    ['bindComplete', true],
    ['commandComplete', false],
    ['readyForQuery', false],
  ]

  await rowsOf(client, ALL)
  expect(seen.splice(0)).toEqual(whole)

  await stranger.query('alter table things add column size int')
  await rowsOf(client, ALL)
  expect(seen.splice(0)).toEqual(whole)

  await client.query('select $1::int', [1, 2]).catch(() => {})
  // An error is told before the server is ready.
  await expect.poll(() => seen).toEqual([['readyForQuery', false]])
  client.release()
})

describe('when tables change', () => {
  it('a kept statement that somebody else has made another one goes on, outside of transactions and inside', async () => {
    const pool = keeping()
    for (let use = 0; use < 3; use += 1) await pool.query(ALL, [1])
    await stranger.query('alter table things add column size int default 7')
    expect(await rowsOf(pool, ALL)).toEqual([{ id: 1, name: 'one', size: 7 }])
    await pool.query(ALL, [1])

    await pool.transaction(async (client) => {
      await client.query('select 1')
      await stranger.query('alter table things rename column size to width')
      expect(await rowsOf(client, ALL)).toEqual([{ id: 1, name: 'one', width: 7 }])
    })
  })

  it('values of a new type are taken by a column that somebody else has changed', async () => {
    const pool = keeping()
    for (let use = 0; use < 3; use += 1) await pool.query(ADD, [2, 'two'])
    await stranger.query('alter table things alter column id type text')

    await pool.query(ADD, ['three', 'three'])
    await pool.query(ADD, ['four', 'four'])

    expect(await rowsOf(pool, 'select name from things where id = $1', ['four'])).toEqual([{ name: 'four' }])
  })

  it('a change through the pool itself is known at once on all connections, in transactions too', async () => {
    const pool = poolOf({ max: 2, leasehold: { preparedStatements: { afterUses: 1 } } })
    const [one, two] = [await pool.connect(), await pool.connect()]
    for (const client of [one, two, one, two, one, two]) await client.query(ADD, [2, 'two'])
    await one.query('begin')
    await one.query('alter table things alter column id type text')
    await one.query('commit')

    await two.query('begin')
    await two.query(ADD, ['three', 'three'])
    await two.query('commit')
    one.release()
    two.release()
    expect(await rowsOf(pool, NAME, ['three'])).toEqual([{ name: 'three' }])
  })

  it('what was read in a transaction whose changes were rolled back is not used after it', async () => {
    const pool = keeping()
    for (let use = 0; use < 3; use += 1) await pool.query(ADD, [2, 'two'])
    await pool.use(async (client) => {
      await client.query('begin')
      await client.query('alter table things alter column id type text')
      for (let use = 0; use < 3; use += 1) await client.query(ADD, ['three', 'three'])
      await client.query('rollback')
      await client.query('begin')
      await client.query(ADD, [4, 'four'])
      await client.query('commit')
    })
    expect(await rowsOf(pool, NAME, [4])).toEqual([{ name: 'four' }])
  })

  it('tables that are made anew with other columns under the same name are read anew', async () => {
    const pool = poolOf({ max: 3, leasehold: { preparedStatements: { afterUses: 1 } } })
    for (const type of ['int', 'text', 'bigint', 'timestamptz']) {
      await pool.query('drop table if exists things')
      await pool.query(`create table things (id ${type}, name text)`)
      const value = type === 'timestamptz' ? new Date(0) : type === 'int' ? 1 : '1'
      await Promise.all(Array.from({ length: 9 }, () => pool.query(ADD, [value, type])))
      const { rows } = await pool.query<{ id: unknown }>(ALL, [value])
      expect(rows.map(({ id }) => id)).toEqual(Array(9).fill(value))
    }
  })
})

describe('an owner who changes what texts mean', () => {
  it('meets none that is kept, while search_path or temporary tables make it another one', async () => {
    const pool = keeping()
    for (let use = 0; use < 3; use += 1) await pool.query(NAME, [1])
    await pool.use(async (client) => {
      await client.query('set search_path = other')
      expect(await rowsOf(client, NAME)).toEqual([{ name: 'another' }])
      await client.query('reset search_path')
      await client.query(`create temp table things as select 1 as id, 'temporary' as name`)
      expect(await rowsOf(client, NAME)).toEqual([{ name: 'temporary' }])
    })
    await pool.use(async (client) => {
      await client.query('begin')
      await client.query('set local search_path = other')
      expect(await rowsOf(client, NAME)).toEqual([{ name: 'another' }])
      await client.query('commit')
    })
    expect(await rowsOf(pool, NAME)).toEqual([{ name: 'one' }])
  })

  it('meets none where other columns have other types', async () => {
    await stranger.query('alter table other.things alter column id type timestamptz using now()')
    await stranger.query('alter table things alter column id type timestamp using now()')
    const pool = keeping()
    const at = '2026-01-01T00:00:00+05:00'
    for (let use = 0; use < 3; use += 1) await pool.query(ADD, [at, 'one'])
    await runInScope({ label: 'test', settings: { search_path: 'other' } }, () => pool.query(ADD, [at, 'two']))
    await pool.use(async (client) => {
      await client.query('set search_path = other')
      await client.query(ADD, [at, 'three'])
    })

    const { rows } = await stranger.query(`select id from other.things where name in ('two', 'three')`)
    expect(rows).toEqual([{ id: new Date(at) }, { id: new Date(at) }])
  })

  it.each(['set search_path = other', 'set search_path = other; reset search_path'])(
    'leaves the next one those that were kept before: %s',
    async (change) => {
      const pool = keeping()
      for (let use = 0; use < 3; use += 1) await pool.query(NAME, [1])
      await pool.use(async (client) => {
        await client.query(change)
        await client.query('select $1::int', [1])
        expect(await keptOn(client)).toEqual([NAME])
      })
      await pool.use(async (client) => {
        await client.query('select $1::int', [1])
        expect(await keptOn(client)).toEqual([NAME, 'select $1::int'])
      })
    },
  )

  it('may have the server forget all of them, seen or unseen', async () => {
    const pool = keeping()
    const client = await pool.connect()
    const text = `create or replace function forget() returns void language plpgsql as
      $$ begin execute 'deal' || 'locate all'; end $$`
    await stranger.query(text)
    for (const forgets of ['discard all', 'deallocate all', 'select forget()']) {
      for (let use = 0; use < 3; use += 1) await rowsOf(client, NAME)
      await client.query(forgets)
      for (let use = 0; use < 3; use += 1) expect(await rowsOf(client, NAME)).toEqual([{ name: 'one' }])
    }
    client.release()
  })
})

describe('behind a proxy', () => {
  const bouncer = usePgBouncer(database, { mode: 'transaction', size: 2 })
  const pools = usePools(bouncer)

  it('nothing is kept, and a warning says so once', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warned.mockRestore())
    const pool = pools({ max: 4, leasehold: { preparedStatements: { afterUses: 1 } } })
    const asked = Array.from({ length: 60 }, () => pool.query<{ name: string }>(NAME, [1]))
    expect((await Promise.all(asked)).flatMap(({ rows }) => rows.map(({ name }) => name))).toEqual(
      Array(60).fill('one'),
    )

    expect(warned.mock.calls).toEqual([
      [expect.stringContaining('a proxy stands before the server'), expect.anything()],
    ])
    const sessions = await Promise.all(
      Array.from({ length: 20 }, () => pool.query('select * from pg_prepared_statements')),
    )
    expect(sessions.flatMap(({ rows }) => rows as unknown[])).toEqual([])
  })

  it.each([
    [{ behind: 'pgbouncer' }, 'leasehold.preparedStatements'],
    [{ compat: 'pg-pool' }, 'leasehold.preparedStatements'],
    [{ observe: true }, 'leasehold.preparedStatements'],
  ] as const)('with %j it is refused to ask for it', (other, option) => {
    expect(() => pools({ leasehold: { preparedStatements: true, ...other } })).toThrow(option)
  })
})
