import { runInScope } from '@leasehold/core'
import type { LeasedPgPool } from '@leasehold/pg'
import { CompiledQuery, type DatabaseConnection, type Generated, Kysely, PostgresDialect } from 'kysely'
import { expect, test } from 'vitest'
import { useGuestPool } from './use-guest-pool.js'

interface Database {
  notes: { id: Generated<number>; text: string }
}

const guests = useGuestPool('create table notes (id serial primary key, text text not null unique)')

function kyselyOn(
  pool: LeasedPgPool,
  onCreateConnection?: (connection: DatabaseConnection) => Promise<void>,
): Kysely<Database> {
  return new Kysely({
    dialect: new PostgresDialect({ pool, ...(onCreateConnection === undefined ? {} : { onCreateConnection }) }),
  })
}

test('Kysely queries through the pool, and its queries belong to the scope that asks', async () => {
  const pool = guests.open()
  const db = kyselyOn(pool)
  const labels: string[] = []
  pool.leases.on('release', ({ label }) => labels.push(label))

  const note = await runInScope({ label: 'GET /notes' }, async () => {
    await db.insertInto('notes').values({ text: 'written' }).execute()
    return db.selectFrom('notes').select('text').where('text', '=', 'written').executeTakeFirst()
  })

  expect(note).toEqual({ text: 'written' })
  expect(labels).toEqual(['GET /notes', 'GET /notes'])
})

test('Kysely’s transactions are committed and rolled back on one connection', async () => {
  const pool = guests.open()
  const db = kyselyOn(pool)

  await db.transaction().execute((trx) => trx.insertInto('notes').values({ text: 'committed' }).execute())
  const rolledBack = db.transaction().execute(async (trx) => {
    await trx.insertInto('notes').values({ text: 'rolled back' }).execute()
    throw new Error('of the callback')
  })

  await expect(rolledBack).rejects.toThrow('of the callback')
  expect(await guests.ask("select text from notes where text in ('committed', 'rolled back')")).toEqual([
    { text: 'committed' },
  ])
  expect(pool.snapshot().counts.reset['open transaction']).toBe(0)
})

test('a statement of Kysely that fails keeps its connection, also inside a transaction', async () => {
  const pool = guests.open({ max: 1 })
  const db = kyselyOn(pool)
  await db.insertInto('notes').values({ text: 'unique' }).execute()

  await expect(db.insertInto('notes').values({ text: 'unique' }).execute()).rejects.toMatchObject({ code: '23505' })
  const inTransaction = db.transaction().execute((trx) => trx.insertInto('notes').values({ text: 'unique' }).execute())
  await expect(inTransaction).rejects.toMatchObject({ code: '23505' })

  await db.selectFrom('notes').selectAll().execute()
  expect(pool.snapshot().counts.opened).toBe(1)
})

test('a transaction of Kysely that is left open by its request is rolled back with it', async () => {
  const pool = guests.open({ max: 1 })
  const db = kyselyOn(pool)

  await runInScope({ label: 'a request' }, async () => {
    const trx = await db.startTransaction().execute()
    await trx.insertInto('notes').values({ text: 'forgotten' }).execute()
  })

  expect(await db.selectFrom('notes').selectAll().where('text', '=', 'forgotten').execute()).toEqual([])
  expect(pool.snapshot().counts.leaks['left-over']).toBe(1)
})

test('onCreateConnection of Kysely runs once for each lease: a handle is new with every lease', async () => {
  const pool = guests.open({ max: 1 })
  let created = 0
  const db = kyselyOn(pool, async () => {
    created += 1
  })

  for (let query = 0; query < 3; query += 1) await db.selectFrom('notes').selectAll().execute()

  expect(created).toBe(3)
  expect(pool.snapshot().counts.opened).toBe(1)
})

test('with compat, onCreateConnection of Kysely runs once for each connection', async () => {
  const pool = guests.open({ max: 1, leasehold: { compat: 'pg-pool' } })
  let created = 0
  const db = kyselyOn(pool, async () => {
    created += 1
  })

  for (let query = 0; query < 3; query += 1) await db.selectFrom('notes').selectAll().execute()

  expect(created).toBe(1)
  expect(pool.snapshot().counts.opened).toBe(1)
})

test('onConnect of the pool is what sets up each connection once, with Kysely too', async () => {
  let connected = 0
  const pool = guests.open({
    max: 1,
    onConnect: async (client) => {
      connected += 1
      await client.query("set application_name = 'of onConnect'")
    },
  })
  const db = kyselyOn(pool)

  for (let query = 0; query < 2; query += 1) {
    const { rows } = await db.executeQuery(CompiledQuery.raw('show application_name'))
    expect(rows).toEqual([{ application_name: 'of onConnect' }])
  }

  expect(connected).toBe(1)
})

test('destroy() of Kysely ends the pool', async () => {
  const pool = guests.open()
  const db = kyselyOn(pool)
  await db.selectFrom('notes').selectAll().execute()

  await db.destroy()

  expect(pool.snapshot()).toMatchObject({ state: 'closed', connections: { total: 0 } })
})
