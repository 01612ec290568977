import { createDrizzle } from '@leasehold/drizzle'
import { createKnex } from '@leasehold/knex'
import { createPgPool, type LeasedPgPool } from '@leasehold/pg'
import { createPrismaAdapter, leasePrisma } from '@leasehold/prisma'
import { usePostgres } from '@leasehold/testkit/postgres'
import { and, asc, count, desc, eq, exists, gt, inArray, sql } from 'drizzle-orm'
import { alias, integer, jsonb, pgTable, text, union } from 'drizzle-orm/pg-core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadClient } from '../../packages/adapters/prisma/src/testing/test-client.js'

const database = usePostgres()
let pool: LeasedPgPool
let pins: string[]

beforeEach(async () => {
  pool = createPgPool({ connectionString: database.url, max: 2 })
  pins = []
  pool.leases.on('pin', ({ kind, name, statement }) => pins.push(`${kind} ${name}: ${statement}`))
  await pool.query(`
    drop table if exists orders, accounts;
    create table accounts (id serial primary key, owner text not null unique, balance int not null default 0, extra jsonb);
    create table orders (id serial primary key, account_id int not null references accounts (id), note text not null unique)`)
})
afterEach(() => pool.close({ deadlineMs: 1_000 }))

function expectNothingPinned(): void {
  expect(pins).toEqual([])
  expect(pool.snapshot().counts.reset['session state']).toBe(0)
}

test('Knex: schema, migrations, queries of all kinds, streams, transactions in transactions', async () => {
  const knex = createKnex(pool, { log: { warn() {}, error() {} } })
  const migrationSource = {
    getMigrations: () => Promise.resolve(['first']),
    getMigrationName: (name: string) => name,
    getMigration: () =>
      Promise.resolve({
        up: (db: typeof knex) => db.schema.createTable('migrated', (table) => void table.increments()),
        down: (db: typeof knex) => db.schema.dropTable('migrated'),
      }),
  }
  await knex.migrate.latest({ migrationSource })
  await knex.migrate.rollback({ migrationSource })
  await knex.schema.createTable('made', (table) => {
    table.increments('id')
    table.string('name', 40).notNullable().index()
    table.jsonb('extra')
    table.timestamps(true, true)
    table.specificType('tags', 'text[]')
    table.enu('state', ['open', 'closed']).defaultTo('open')
    table.unique(['name', 'state'])
  })
  await knex.schema.alterTable('made', (table) => {
    table.renameColumn('name', 'title')
    table.dropColumn('tags')
    table.setNullable('extra')
  })
  expect(await knex.schema.hasTable('made')).toBe(true)
  expect(await knex.schema.hasColumn('made', 'title')).toBe(true)
  await knex('made').columnInfo()
  await knex.schema.renameTable('made', 'remade')
  await knex.schema.createView('seen', (view) => view.as(knex('accounts').select('id', 'owner')))
  await knex('seen').select()
  await knex.schema.dropView('seen')
  await knex.schema.dropTableIfExists('remade')

  await knex('accounts')
    .insert([{ owner: 'a' }, { owner: 'b' }, { owner: 'c' }])
    .returning('id')
  await knex.batchInsert(
    'accounts',
    Array.from({ length: 20 }, (_, n) => ({ owner: `of ${n}` })),
    7,
  )
  await knex('accounts').insert({ owner: 'a', balance: 2 }).onConflict('owner').merge()
  await knex('accounts').insert({ owner: 'a' }).onConflict('owner').ignore()
  await knex('accounts').where({ owner: 'a' }).increment('balance', 5).decrement('balance', 1)
  await knex('accounts').where('owner', 'like', 'of %').whereNot('balance', '>', 3).orWhereIn('id', [1, 2]).count()
  await knex('accounts')
    .select('owner', knex.raw('row_number() over (order by id) as nth'))
    .orderBy('id', 'desc')
    .limit(3)
  await knex('accounts as a')
    .leftJoin('orders as o', 'o.account_id', 'a.id')
    .select('a.*')
    .groupBy('a.id')
    .havingRaw('count(o.id) = 0')
  await knex
    .with('rich', knex('accounts').where('balance', '>', 1))
    .select('*')
    .from('rich')
    .unionAll(knex('rich').select('*'))
  await knex('accounts').whereExists(knex('orders').whereRaw('orders.account_id = accounts.id')).pluck('id')
  await knex('accounts').where({ id: 1 }).first().forUpdate().skipLocked()
  await knex('accounts').min('balance').max('balance').sum('balance').avg('balance')
  await knex('accounts')
    .where({ owner: 'b' })
    .update({ extra: JSON.stringify({ a: [1] }) }, ['id'])
  await knex('accounts').whereJsonPath('extra', '$.a[0]', '=', 1).jsonExtract('extra', '$.a', 'found')
  await knex('accounts').distinct('balance').offset(1)
  await knex.raw('select ?::text as now, coalesce(?, ?) as x', ['set role nobody', null, 'listen'])
  for await (const row of knex('accounts').select('id').stream()) expect(row).toHaveProperty('id')
  await knex.transaction(
    async (outer) => {
      await outer('accounts').insert({ owner: 'outer' })
      await outer.transaction((inner) => inner('accounts').insert({ owner: 'inner' }))
      await expect(outer.transaction((inner) => inner('accounts').insert({ owner: 'outer' }))).rejects.toThrow(/unique/)
      await outer('accounts').where({ owner: 'inner' }).delete()
    },
    { isolationLevel: 'repeatable read' },
  )
  await expect(knex('nothing_like_it')).rejects.toThrow(/does not exist/)
  await knex('orders').truncate()

  expectNothingPinned()
})

test('Drizzle: queries of all kinds, relations, transactions in transactions', async () => {
  const accounts = pgTable('accounts', {
    id: integer().primaryKey().generatedByDefaultAsIdentity(),
    owner: text().notNull(),
    balance: integer().notNull().default(0),
    extra: jsonb(),
  })
  const orders = pgTable('orders', {
    id: integer().primaryKey(),
    accountId: integer('account_id').notNull(),
    note: text().notNull(),
  })
  const db = createDrizzle(pool, { schema: { accounts, orders } })
  await db
    .insert(accounts)
    .values([
      { id: 1, owner: 'a' },
      { id: 2, owner: 'b', extra: { a: 1 } },
    ])
    .returning()
  await db
    .insert(accounts)
    .values({ id: 1, owner: 'a' })
    .onConflictDoUpdate({ target: accounts.id, set: { balance: 3 } })
  await db.insert(accounts).values({ id: 1, owner: 'a' }).onConflictDoNothing()
  await db.insert(orders).values({ id: 1, accountId: 1, note: 'first' })
  await db.query.accounts.findFirst({ where: eq(accounts.id, 1), columns: { owner: true } })
  await db.query.accounts.findMany({
    orderBy: [desc(accounts.id)],
    limit: 1,
    extras: { big: sql<string>`upper(owner)`.as('big') },
  })
  const parent = alias(accounts, 'parent')
  await db
    .select({ owner: accounts.owner, orders: count(orders.id) })
    .from(accounts)
    .leftJoin(orders, eq(orders.accountId, accounts.id))
    .innerJoin(parent, eq(parent.id, accounts.id))
    .where(and(gt(accounts.id, 0), inArray(accounts.owner, ['a', 'b'])))
    .groupBy(accounts.owner)
    .having(sql`count(*) > 0`)
  const rich = db.$with('rich').as(db.select().from(accounts).where(gt(accounts.balance, 1)))
  await db.with(rich).select().from(rich).orderBy(asc(rich.id))
  await union(db.select({ id: accounts.id }).from(accounts), db.select({ id: orders.id }).from(orders))
  await db
    .select()
    .from(accounts)
    .where(exists(db.select().from(orders).where(eq(orders.accountId, accounts.id))))
  await db.selectDistinctOn([accounts.balance]).from(accounts)
  await db.select().from(accounts).for('share', { skipLocked: true })
  await db.$count(accounts, gt(accounts.id, 0))
  const prepared = db
    .select()
    .from(accounts)
    .where(eq(accounts.id, sql.placeholder('id')))
    .prepare('by_id')
  await prepared.execute({ id: 1 })
  await prepared.execute({ id: 2 })
  await db.execute(sql`select ${'set role nobody'}::text, now()`)
  await db.transaction(
    async (outer) => {
      await outer
        .update(accounts)
        .set({ balance: sql`${accounts.balance} + 1` })
        .where(eq(accounts.id, 1))
        .returning()
      await outer.transaction((inner) => inner.delete(orders).where(eq(orders.id, 1)))
      await expect(outer.transaction((inner) => inner.execute(sql`select 1/0`))).rejects.toThrow(/Failed query/)
    },
    { isolationLevel: 'serializable', accessMode: 'read write', deferrable: true },
  )
  await expect(db.execute(sql`select * from nothing_like_it`)).rejects.toThrow(/Failed query/)

  expectNothingPinned()
})

test('Prisma: queries of all kinds, batches, transactions', async () => {
  const PrismaClient = await loadClient()
  const prisma = leasePrisma(new PrismaClient({ adapter: createPrismaAdapter(pool) }), pool)
  await prisma.account.create({ data: { id: 1, owner: 'a', orders: { create: [{ note: 'one' }, { note: 'two' }] } } })
  await prisma.account.create({ data: { id: 2, owner: 'b' } })
  await prisma.account.findMany({
    where: {
      OR: [{ owner: { contains: 'a', mode: 'insensitive' } }, { balance: { gte: 1 } }],
      NOT: { id: { in: [7, 8] } },
    },
    include: { orders: { take: 1, orderBy: { id: 'desc' } } },
    orderBy: [{ balance: 'asc' }, { id: 'desc' }],
    skip: 0,
    take: 5,
    distinct: ['owner'],
  })
  await prisma.account.findFirst({ where: { orders: { some: { note: 'one' } } }, include: { orders: true } })
  await Promise.all([1, 2, 3].map((id) => prisma.account.findUnique({ where: { id } })))
  await prisma.account.update({
    where: { id: 1 },
    data: { balance: { increment: 2 }, orders: { update: { where: { note: 'one' }, data: { note: 'three' } } } },
  })
  await prisma.account.count()
  await prisma.$queryRaw`select ${'listen news'}::text as news`
  await prisma.$queryRawUnsafe('select count(*)::int from accounts where id > $1', 0)
  await prisma.$executeRaw`update accounts set balance = balance + 1`
  await prisma.$transaction([prisma.account.count(), prisma.account.findMany()], { isolationLevel: 'Serializable' })
  await prisma.$transaction(
    async (tx) => {
      await tx.account.update({ where: { id: 2 }, data: { balance: 9 } })
      await tx.account.findUniqueOrThrow({ where: { id: 2 } })
    },
    { isolationLevel: 'RepeatableRead' },
  )
  await expect(
    prisma.$transaction(async (tx) => await tx.account.create({ data: { id: 1, owner: 'again' } })),
  ).rejects.toThrow(/Unique constraint/)

  expectNothingPinned()
})
