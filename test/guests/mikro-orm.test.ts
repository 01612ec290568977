import { runInScope } from '@leasehold/core'
import { createKnex } from '@leasehold/knex'
import type { LeasedPgPool } from '@leasehold/pg'
import {
  EntitySchema,
  MikroORM,
  PostgreSqlKnexDialect,
  UniqueConstraintViolationException,
} from '@mikro-orm/postgresql'
import type { Knex } from 'knex'
import { TypeOverrides } from 'pg'
import { afterEach, expect, test } from 'vitest'
import { useGuestPool } from './use-guest-pool.js'

interface Author {
  id: number
  name: string
  bornOn?: string
  addedAt?: Date
}

const Author = new EntitySchema<Author>({
  name: 'Author',
  tableName: 'authors',
  properties: {
    id: { type: 'integer', primary: true, autoincrement: true },
    name: { type: 'string', unique: true },
    bornOn: { type: 'date', nullable: true },
    addedAt: { type: 'datetime', nullable: true },
  },
})

const guests = useGuestPool(
  'create table authors (id serial primary key, name text not null unique, born_on date, added_at timestamptz)',
)
const opened: MikroORM[] = []

afterEach(async () => {
  // Before the pool is closed, which has to be left alone by it.
  await Promise.all(opened.splice(0).map((orm) => orm.close()))
})

/** MikroORM wants dates and times as they come, and makes what they are to be of them itself. */
const types = new TypeOverrides()
for (const type of [1082, 1114, 1184, 1186]) types.setTypeParser(type, (text) => text)

/** MikroORM 6 takes a Knex, if it is of the copy of Knex that it has itself: see `overrides` in the package.json. */
async function mikroOn(pool: LeasedPgPool): Promise<MikroORM> {
  // As Knex's types have it, a dialect is a `Client`; MikroORM's are of a class that its types do not show.
  const client = PostgreSqlKnexDialect as unknown as typeof Knex.Client
  const knex = createKnex(pool, { client })
  // Which database it is, the pool knows; MikroORM would reconnect to look for one of this name, and create it.
  const dbName = 'of the pool'
  const orm = await MikroORM.init({ dbName, ensureDatabase: false, entities: [Author], driverOptions: knex })
  opened.push(orm)
  return orm
}

test('MikroORM reads and writes entities through the pool, in the scope that asks', async () => {
  const pool = guests.open({ types })
  const orm = await mikroOn(pool)
  const labels = new Set<string>()
  pool.leases.on('release', ({ label }) => labels.add(label))
  const addedAt = new Date('2026-11-22T07:00:00.123Z')

  const found = await runInScope({ label: 'GET /authors' }, async () => {
    await orm.em.fork().insert(Author, { name: 'Ursula', bornOn: '1929-10-21', addedAt })
    return orm.em.fork().findOneOrFail(Author, { name: 'Ursula' })
  })

  expect(found).toMatchObject({ name: 'Ursula', bornOn: '1929-10-21', addedAt })
  expect(labels).toEqual(new Set(['GET /authors']))
})

test('a transaction of MikroORM is committed, or rolled back with all that it flushed', async () => {
  const pool = guests.open()
  const orm = await mikroOn(pool)

  await orm.em.fork().transactional(async (em) => em.persist(em.create(Author, { name: 'Octavia' })))
  const rolledBack = orm.em.fork().transactional(async (em) => {
    em.persist(em.create(Author, { name: 'Nobody' }))
    await em.flush()
    throw new Error('of the callback')
  })

  await expect(rolledBack).rejects.toThrow('of the callback')
  expect(await guests.ask("select name from authors where name in ('Octavia', 'Nobody')")).toEqual([
    { name: 'Octavia' },
  ])
  expect(pool.snapshot().counts.reset['open transaction']).toBe(0)
})

test('MikroORM knows the errors of the database, and they keep the connection', async () => {
  const pool = guests.open({ max: 1 })
  const orm = await mikroOn(pool)
  await orm.em.fork().insert(Author, { name: 'Italo' })

  const failed = orm.em.fork().insert(Author, { name: 'Italo' })

  await expect(failed).rejects.toBeInstanceOf(UniqueConstraintViolationException)
  expect(await orm.em.fork().count(Author, { name: 'Italo' })).toBe(1)
  expect(pool.snapshot().counts.opened).toBe(1)
})

test('a transaction of MikroORM that its request leaves open is rolled back with it', async () => {
  const pool = guests.open({ max: 1 })
  const orm = await mikroOn(pool)

  await runInScope({ label: 'a request' }, async () => {
    const em = orm.em.fork()
    await em.begin()
    await em.insert(Author, { name: 'forgotten' })
  })

  expect(await orm.em.fork().count(Author, { name: 'forgotten' })).toBe(0)
  expect(pool.snapshot().counts.leaks['left-over']).toBe(1)
})

test('closing MikroORM leaves the pool alone', async () => {
  const pool = guests.open()
  const orm = await mikroOn(pool)
  await orm.em.fork().count(Author)

  await orm.close()

  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
})
