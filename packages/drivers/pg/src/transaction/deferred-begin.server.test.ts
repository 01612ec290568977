import { openScope } from '@leasehold/core'
import { usePostgres } from '@leasehold/testkit/postgres'
import { Client } from 'pg'
import type * as pg from 'pg'
import Cursor from 'pg-cursor'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { LeasedPgPoolOptions } from '../facade/facade-options.js'
import type { LeasedPgPool } from '../facade/leased-pg-pool.js'
import { GATE, type LeaseHandle } from '../handle/handle-fields.js'
import { sessionOf } from '../session/pg-session.js'
import { backendOf, kill } from '../testing/backend.js'
import { usePools } from '../testing/leased-pool.js'
import type { PgConnection } from '../wire/pg-connection.js'

const database = usePostgres()
const open = usePools(database)
let outside: Client
let pool: LeasedPgPool
/** How often the server has said that it is ready. */
let answers: number

beforeAll(async () => {
  outside = new Client(database.url)
  await outside.connect()
  await outside.query('create table rows (name text primary key)')
})
afterAll(() => outside.end())
beforeEach(async () => {
  await outside.query('truncate rows')
  pool = await openCounted({ max: 1 })
})

async function openCounted(options: LeasedPgPoolOptions): Promise<LeasedPgPool> {
  const counted = open(options)
  counted.on('connect', (client) => {
    const { connection } = client as unknown as { readonly connection: PgConnection }
    connection.on('readyForQuery', () => (answers += 1))
  })
  // Its first release asks for the functions of the database.
  await counted.query('select lower($1)', ['A'])
  answers = 0
  return counted
}

async function rows(): Promise<string[]> {
  const result = await outside.query<{ name: string }>('select name from rows order by name')
  return result.rows.map(({ name }) => name)
}

async function stateOf(client: pg.ClientBase): Promise<unknown> {
  const text = 'select state from pg_stat_activity where pid = $1'
  return (await outside.query<{ state: string }>(text, [backendOf(client as pg.Client)])).rows[0]?.state
}

const INSERT = 'insert into rows values ($1)'

/** As an ORM's method for transactions does it, with its own texts. */
function likeAnOrm(work: (client: pg.PoolClient) => Promise<void>): Promise<void> {
  return Promise.resolve(
    pool.leases.ormTransaction(async (enter) => {
      const client = await pool.connect()
      try {
        await client.query('BEGIN;')
        try {
          await enter(() => work(client))
          await client.query('COMMIT;')
        } catch (error) {
          await client.query('ROLLBACK')
          throw error
        }
      } finally {
        client.release()
      }
    }),
  )
}

describe.each([
  [
    'pool.transaction',
    (work: (client: pg.ClientBase) => Promise<void>): Promise<void> => pool.transaction((client) => work(client)),
  ],
  ['the method of an ORM', (work: (client: pg.ClientBase) => Promise<void>): Promise<void> => likeAnOrm(work)],
])('the BEGIN of %s', (_, transaction) => {
  it('goes out with the first statement: two statements take three round trips', async () => {
    await transaction(async (client) => {
      await client.query(INSERT, ['one'])
      await client.query(INSERT, ['two'])
    })
    expect(answers).toBe(3)
    expect(await rows()).toEqual(['one', 'two'])
  })

  it('makes one transaction of what comes after it', async () => {
    const ids: unknown[] = []
    await transaction(async (client) => {
      for (let time = 0; time < 2; time += 1) ids.push((await client.query('select txid_current() as id')).rows[0])
      expect(await stateOf(client)).toBe('idle in transaction')
    })
    expect(ids[0]).toEqual(ids[1])
    expect(answers).toBe(3)
  })

  it('is not sent at all where nothing comes after it, and the client still says that a transaction is open', async () => {
    await transaction(async (client) => {
      expect((client as pg.Client).getTransactionStatus()).toBe('T')
      expect(await stateOf(client)).toBe('idle')
    })
    await expect(transaction(() => Promise.reject(new Error('of the work')))).rejects.toThrow('of the work')
    expect(answers).toBe(0)
    expect(pool.snapshot().counts.reset['open transaction']).toBe(0)
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  it.each([
    ['several statements in one text', `insert into rows values ('a'); insert into rows values ('b')`],
    ['a statement that does not read or write rows', 'create table unborn (id int)'],
    ['a savepoint', 'savepoint one'],
  ])('goes ahead by itself of %s', async (_what, text) => {
    const run = transaction(async (client) => {
      await client.query(text)
      await client.query(INSERT, ['c'])
      expect((client as pg.Client).getTransactionStatus()).toBe('T')
      throw new Error('undone')
    })
    await expect(run).rejects.toThrow('undone')
    expect(answers).toBe(4)
    expect(await rows()).toEqual([])
  })

  it('goes ahead of a cursor', async () => {
    await outside.query(`insert into rows values ('a'), ('b')`)
    await transaction(async (client) => {
      const cursor = client.query(new Cursor<{ name: string }>('select name from rows for update'))
      expect(await cursor.read(1)).toEqual([{ name: 'a' }])
      await cursor.close()
      expect((client as pg.Client).getTransactionStatus()).toBe('T')
    })
  })

  it('goes out once, whatever is sent at the same time', async () => {
    const notices: unknown[] = []
    await transaction(async (client) => {
      client.on('notice', (notice) => notices.push(notice.message))
      await Promise.all([
        client.query(INSERT, ['a']),
        client.query(`insert into rows values ('b'); select 1`),
        client.query(INSERT, ['c']),
      ])
    })
    expect(await rows()).toEqual(['a', 'b', 'c'])
    expect(notices).toEqual([])
  })

  it.each([
    ['a statement that can take it along', INSERT, ['kept']],
    ['one that cannot', `create temp table once (id int); insert into rows values ('kept')`, undefined],
    ['nothing', undefined, undefined],
  ])('waits on when the first statement was never sent: for %s', async (_what, text, values) => {
    await pool.query({ name: 'known', text: 'select 1' })
    await transaction(async (client) => {
      // pg refuses it by itself.
      await expect(client.query({ name: 'known', text: 'select 2' })).rejects.toThrow('must be unique')
      if (text !== undefined) await client.query(text, values)
    })
    expect(await rows()).toEqual(text === undefined ? [] : ['kept'])
    expect(await pool.query('select 1 as one')).toMatchObject({ command: 'SELECT', rowCount: 1, rows: [{ one: 1 }] })
    expect(pool.snapshot().counts.opened).toBe(1)
  })

  it('has been heard when the first statement fails: the transaction has failed', async () => {
    const run = transaction(async (client) => {
      await client.query('select 1 / 0').catch(() => {})
      // As with pg: the server says a moment later that the transaction has failed.
      expect((client as pg.Client).getTransactionStatus()).toMatch(/[TE]/)
      await client.query(INSERT, ['lost'])
    })
    await expect(run).rejects.toMatchObject({ code: '25P02' })
    expect(await rows()).toEqual([])
  })

  it('does not hide from the first statement that its connection is dead', async () => {
    const run = transaction(async (client) => {
      await kill(outside, backendOf(client as pg.Client))
      await client.query(INSERT, ['lost'])
    })
    await expect(run).rejects.toThrow(/terminat|connection error/)
    expect(await rows()).toEqual([])
    expect(pool.snapshot().connections.lent).toBe(0)
  })
})

it('a BEGIN that fails has nothing run outside of a transaction, however often it is tried', async () => {
  const client = await pool.connect()
  const gate = (client as unknown as LeaseHandle)[GATE]
  expect(sessionOf(client as unknown as pg.Client).begin.defer(gate, 'BEGIN NONSENSE')).toBe(true)

  for (const text of [INSERT, `${INSERT} returning name`]) {
    await expect(client.query(text, ['outside'])).rejects.toMatchObject({ code: '42601' })
  }
  await expect(client.query(`insert into rows values ('outside')`)).rejects.toMatchObject({ code: '42601' })
  await expect(client.query(`insert into rows values ('x'); select 1`)).rejects.toMatchObject({ code: '42601' })
  expect((await client.query('ROLLBACK')).command).toBe('ROLLBACK')
  client.release()

  expect(await rows()).toEqual([])
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  expect(pool.snapshot().counts.opened).toBe(1)
})

it('a transaction that is left before its first statement is reported, and is not the next one’s', async () => {
  await pool.leases.ormTransaction(async () => {
    const client = await pool.connect()
    await client.query('begin')
    client.release()
  })
  const next = await pool.connect()
  expect((next as unknown as pg.Client).getTransactionStatus()).toBe('I')
  await next.query(INSERT, ['kept'])
  next.release()
  expect(await rows()).toEqual(['kept'])
  expect(pool.snapshot().counts.reset['open transaction']).toBe(1)
  expect(pool.snapshot().counts.opened).toBe(1)
})

it('on a lease that its scope has taken back nothing begins: neither for its owner nor for the next one', async () => {
  const scope = openScope({ label: 'gone' })
  let called = false
  const run = scope.run(() => pool.transaction(() => void (called = true)))
  const closed = scope.close()

  await expect(run).rejects.toMatchObject({ code: expect.stringMatching('LEASEHOLD_') as string })
  await closed
  expect(called).toBe(false)
  expect(answers).toBe(0)
  const next = await pool.acquire()
  expect(next.pins).toEqual([])
  expect(next.client.getTransactionStatus()).toBe('I')
  next.release()
})

it('a BEGIN that somebody wrote is sent when it was written', async () => {
  const client = await pool.connect()
  const { command } = await client.query('BEGIN')
  expect([command, answers, await stateOf(client)]).toEqual(['BEGIN', 1, 'idle in transaction'])
  await client.query('ROLLBACK')
  client.release()
})

it('declared settings are made before the transaction, and hold in it', async () => {
  const shown = await pool.transaction(
    async (client) => (await client.query<{ tenant: string }>(`select current_setting('app.tenant') as tenant`)).rows,
    { settings: { 'app.tenant': 'acme' } },
  )
  expect(shown).toEqual([{ tenant: 'acme' }])
})
