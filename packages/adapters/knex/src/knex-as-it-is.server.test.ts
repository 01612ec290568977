// oxlint-disable no-underscore-dangle -- the names are Knex's
import { usePostgres } from '@leasehold/testkit/postgres'
import type { Knex } from 'knex'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Model } from 'objection'
import { expect, test } from 'vitest'
import { openKnex } from './open-knex.js'

const database = usePostgres()

interface Account {
  readonly id: number
  readonly owner: string
  readonly cents: number
}

async function createAccounts(db: Knex): Promise<void> {
  await db.schema.dropTableIfExists('accounts')
  await db.schema.createTable('accounts', (table) => {
    table.increments('id')
    table.text('owner').notNullable().unique()
    table.integer('cents').notNullable().defaultTo(0)
  })
}

test('tables, queries, raw, returning and batch inserts work', async () => {
  await using opened = openKnex(database.url)
  const { db } = opened
  await createAccounts(db)
  const [first] = await db<Account>('accounts').insert({ owner: 'a', cents: 5 }).returning('*')
  expect(first).toEqual({ id: 1, owner: 'a', cents: 5 })
  const rows = Array.from({ length: 25 }, (_, at) => ({ owner: `b${at}`, cents: at }))
  expect(await db.batchInsert<Account>('accounts', rows, 10).returning('id')).toHaveLength(25)
  expect(await db('accounts').where('cents', '>', 20).pluck('owner')).toEqual(['b21', 'b22', 'b23', 'b24'])
  expect((await db.raw('select ?::int as two', [2])).rows).toEqual([{ two: 2 }])
  expect(await db('accounts').where({ owner: 'a' }).update({ cents: 6 })).toBe(1)
  expect(await db('accounts').columnInfo('cents')).toMatchObject({ type: 'integer' })
  await expect(db('accounts').insert({ owner: 'a' })).rejects.toMatchObject({ code: '23505' })
  expect(opened.pool.snapshot().counts.closed.discarded).toBe(0)
})

test('transactions commit, roll back, nest and are provided', async () => {
  await using opened = openKnex(database.url)
  const { db } = opened
  await createAccounts(db)
  await db.transaction(async (trx) => {
    await trx('accounts').insert({ owner: 'kept' })
    await expect(
      trx.transaction(async (inner) => {
        await inner('accounts').insert({ owner: 'lost' })
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
    await Promise.all(
      ['x', 'y'].map((owner) => trx.transaction(async (inner) => void (await inner('accounts').insert({ owner })))),
    )
    await db('accounts').transacting(trx).insert({ owner: 'transacting' })
  })
  await expect(
    db.transaction(async (trx) => {
      await trx('accounts').insert({ owner: 'also lost' })
      throw new Error('no')
    }),
  ).rejects.toThrow('no')
  const provided = db.transactionProvider({ isolationLevel: 'serializable' })
  const trx = await provided()
  expect(await provided()).toBe(trx)
  expect((await trx.raw('show transaction_isolation')).rows).toEqual([{ transaction_isolation: 'serializable' }])
  await trx('accounts').insert({ owner: 'provided' })
  await trx.commit()
  expect(await db('accounts').orderBy('id').pluck('owner')).toEqual(['kept', 'x', 'y', 'transacting', 'provided'])
})

test('a query runs on the connection that it is given', async () => {
  await using opened = openKnex(database.url)
  const { db, pool } = opened
  const pid = 'select pg_backend_pid() as pid'
  await pool.use(async (client) => {
    const [row] = (await client.query<{ pid: number }>(pid)).rows
    expect((await db.raw(pid).connection(client)).rows).toEqual([row])
    expect((await db.raw(pid)).rows).not.toEqual([row])
  })
  const client = await pool.connect()
  expect((await db.raw('select 1 as one').connection(client)).rows).toEqual([{ one: 1 }])
  client.release()
})

test('migrations and seeds run', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'leasehold-knex-'))
  try {
    const migrations = join(folder, 'migrations')
    const seeds = join(folder, 'seeds')
    await Promise.all([mkdir(migrations), mkdir(seeds)])
    const create = `exports.up = (db) => db.schema.createTable('things', (t) => t.text('name'))
      exports.down = (db) => db.schema.dropTable('things')`
    const alone = `exports.config = { transaction: false }
      exports.up = (db) => db.raw('create index concurrently things_name on things (name)')
      exports.down = () => Promise.resolve()`
    await writeFile(join(migrations, '1.cjs'), create)
    await writeFile(join(migrations, '2.cjs'), alone)
    await writeFile(join(seeds, 'seed.cjs'), `exports.seed = (db) => db('things').insert({ name: 'one' })`)
    const loadExtensions = ['.cjs']
    await using opened = openKnex(
      database.url,
      {},
      {
        migrations: { directory: migrations, loadExtensions },
        seeds: { directory: seeds, loadExtensions },
        // Knex switches these off while it keeps its own books of migrations.
        postProcessResponse: (result: unknown) =>
          Array.isArray(result) ? [...(result as unknown[]), 'processed'] : result,
      },
    )
    const { db } = opened
    await db.migrate.latest()
    await db.seed.run()
    expect(await db('things')).toEqual([{ name: 'one' }, 'processed'])
    await db.migrate.rollback(undefined, true)
    expect(await db.schema.hasTable('things')).toBe(false)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('hooks of the configuration are called: identifiers, responses, log', async () => {
  const warned: string[] = []
  await using opened = openKnex(
    database.url,
    {},
    {
      wrapIdentifier: (value, wrap) => wrap(value.toLowerCase()),
      postProcessResponse: (result: { rows?: unknown }) => result.rows ?? result,
      log: { warn: (message: string) => void warned.push(message) },
      version: '15.1',
    },
  )
  const { db } = opened
  expect(await db.raw('select 1 as one')).toEqual([{ one: 1 }])
  expect(db('T').select('A').toQuery()).toBe('select "a" from "t"')
  expect(db.client.version).toBe('15.1')
  ;(db as unknown as () => void)()
  expect(warned).toEqual([expect.stringContaining('without a tableName')])
})

test('the version of the server is learnt with the first connection', async () => {
  await using opened = openKnex(database.url)
  await opened.db.raw('select 1')
  expect(opened.db.client.version).toMatch(/^\d+\.\d+/)
  const trx = await opened.db.transaction()
  expect(trx.client.version).toBe(opened.db.client.version)
  await trx.rollback()
})

test('a copy with parameters of its own stands on the same pool', async () => {
  await using opened = openKnex(database.url)
  const copy = opened.db.withUserParams({ tenant: 7 })
  expect(copy.userParams).toEqual({ tenant: 7 })
  expect((await copy.raw('select 1 as one')).rows).toEqual([{ one: 1 }])
  await copy.transaction(async (trx) => {
    expect(trx.userParams).toEqual({ tenant: 7 })
    await trx.raw('select 1')
  })
  expect(opened.pool.totalCount).toBe(1)
})

test('events tell which connection and which transaction a query ran on', async () => {
  await using opened = openKnex(database.url)
  const { db } = opened
  await db.raw('select 0')
  const seen: Array<{ __knexUid: string; __knexTxId?: string }> = []
  db.on('query', (query) => seen.push(query))
  await db.raw('select 1')
  await db.transaction((trx) => trx.raw('select 2'))
  await db.raw('select 3')
  expect(new Set(seen.map((query) => query.__knexUid))).toEqual(new Set([expect.stringMatching(/^__knexUid\d+$/)]))
  expect(seen.map((query) => query.__knexTxId !== undefined)).toEqual([false, true, true, true, false])
})

test('Objection models run on it', async () => {
  await using opened = openKnex(database.url)
  const { db } = opened
  await createAccounts(db)
  class AccountModel extends Model {
    static override tableName = 'accounts'
    declare id: number
    declare owner: string
    declare cents: number
  }
  const Bound = AccountModel.bindKnex(db)
  await Bound.query().insert({ owner: 'a', cents: 1 })
  await expect(
    Bound.transaction(async (trx) => {
      await Bound.query(trx).insert({ owner: 'b' })
      throw new Error('no')
    }),
  ).rejects.toThrow('no')
  await Bound.transaction(async (trx) => Bound.query(trx).patch({ cents: 3 }).where({ owner: 'a' }))
  expect(await Bound.query()).toEqual([expect.objectContaining({ owner: 'a', cents: 3 })])
})

test('tracers find which database a query is for, as in plain Knex, and no password', async () => {
  const { hostname, port, username, pathname, password } = new URL(database.url)
  const expected = { host: hostname, port: Number(port), user: username, database: pathname.slice(1) }
  const settingsOf = (db: Knex): unknown => (db.client as { connectionSettings: unknown }).connectionSettings
  await using byUrl = openKnex(database.url)
  expect(settingsOf(byUrl.db)).toEqual(expected)
  await using byFields = openKnex('', { ...expected, password, connectionString: undefined })
  expect(settingsOf(byFields.db)).toEqual(expected)
  await byFields.db.transaction(async (transaction) => expect(settingsOf(transaction)).toEqual(expected))
})
