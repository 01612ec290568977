import { once } from 'node:events'
import { createDrizzle } from '@leasehold/drizzle'
import { createKnex } from '@leasehold/knex'
import type { LeasedPgPool } from '@leasehold/pg'
import { createPrismaAdapter, leasePrisma } from '@leasehold/prisma'
import { eq, sql } from 'drizzle-orm'
import { integer, pgTable, pgView, text } from 'drizzle-orm/pg-core'
import type { Knex } from 'knex'
import { loadClient, type Queries } from '../../packages/adapters/prisma/src/testing/test-client.js'

/** What a handler does with an ORM, or within a transaction of it. */
export interface Db {
  /** Looks up who owns an account, by its key: what Prisma merges with the look-ups of others. */
  ownerOf(account: number): Promise<string | undefined>
  /** Whose the session is, looked up by key. */
  tenant(): Promise<string | null | undefined>
}

export interface Orm extends Db {
  setTenant(tenant: string): Promise<unknown>
  transaction<R>(work: (db: Db) => Promise<R>): Promise<R>
  /** Each way in which this ORM calls back. `answered` is to be called from there, and nowhere else. */
  readonly callbacks: Readonly<Record<string, (account: number, answered: () => void) => Promise<unknown>>>
}

export interface OrmKind {
  readonly name: string
  open(pool: LeasedPgPool): Promise<Orm>
}

const SET_TENANT = "select set_config('app.tenant', $1, false)"

export const ORMS: readonly OrmKind[] = [
  { name: 'Knex', open: async (pool) => openKnex(pool) },
  { name: 'Drizzle', open: async (pool) => openDrizzle(pool) },
  { name: 'Prisma', open: openPrisma },
]

function openKnex(pool: LeasedPgPool): Orm {
  const knex = createKnex(pool)
  const account = (id: number): Knex.QueryBuilder => knex('accounts').where({ id })
  const dbOf = (queries: Knex): Db => ({
    ownerOf: async (id) => (await queries('accounts').where({ id }).first<{ owner: string } | undefined>())?.owner,
    tenant: async () => (await queries('session').where({ id: 1 }).first<{ tenant: string } | undefined>())?.tenant,
  })
  return {
    ...dbOf(knex),
    setTenant: async (tenant) => await knex.raw(SET_TENANT.replace('$1', '?'), [tenant]),
    transaction: (work) => knex.transaction((transaction) => work(dbOf(transaction))),
    callbacks: {
      then: async (id, answered) => await account(id).then(answered),
      'a node callback': (id, answered) =>
        new Promise<void>((resolve) => {
          void account(id).asCallback(() => {
            answered()
            resolve()
          })
        }),
      'the event of a query': async (id, answered) => await account(id).on('query-response', answered),
      // Left to flow, so that nobody's reading has it told.
      'the rows of a stream': async (id, answered) => {
        const stream = account(id).stream().on('data', answered)
        await once(stream, 'end')
      },
      'the callback of a transaction': (id, answered) =>
        knex.transaction(async (transaction) => {
          await transaction('accounts').where({ id })
          answered()
        }),
    },
  }
}

function openDrizzle(pool: LeasedPgPool): Orm {
  const accounts = pgTable('accounts', { id: integer().primaryKey(), owner: text().notNull() })
  const session = pgView('session', { id: integer(), tenant: text() }).existing()
  const db = createDrizzle(pool, { schema: { accounts } })
  const dbOf = (queries: Pick<typeof db, 'query' | 'select'>): Db => ({
    ownerOf: async (id) => (await queries.query.accounts.findFirst({ where: eq(accounts.id, id) }))?.owner,
    tenant: async () => (await queries.select().from(session).where(eq(session.id, 1)))[0]?.tenant,
  })
  const prepared = db
    .select()
    .from(accounts)
    .where(eq(accounts.id, sql.placeholder('id')))
    .prepare('an_account')
  return {
    ...dbOf(db),
    setTenant: (tenant) => db.execute(sql`select set_config('app.tenant', ${tenant}, false)`),
    transaction: (work) => db.transaction((transaction) => work(dbOf(transaction))),
    callbacks: {
      then: async (id, answered) => await db.select().from(accounts).where(eq(accounts.id, id)).then(answered),
      'a relational query': (id, answered) =>
        db.query.accounts.findFirst({ where: eq(accounts.id, id) }).then(answered),
      'a prepared query': (id, answered) => prepared.execute({ id }).then(answered),
      'a node callback': (id, answered) =>
        new Promise<void>((resolve) => {
          db.$client.query('select owner from accounts where id = $1', [id], () => {
            answered()
            resolve()
          })
        }),
      finally: (id, answered) => db.execute(sql`select owner from accounts where id = ${id}`).finally(answered),
      'the callback of a transaction': (id, answered) =>
        db.transaction(async (transaction) => {
          await transaction.select().from(accounts).where(eq(accounts.id, id))
          answered()
        }),
    },
  }
}

async function openPrisma(pool: LeasedPgPool): Promise<Orm> {
  const PrismaClient = await loadClient()
  const prisma = leasePrisma(new PrismaClient({ adapter: createPrismaAdapter(pool) }), pool)
  // It asks the server for its version once, in a lease that is nobody's.
  await prisma.$connect()
  const dbOf = (queries: Pick<Queries, 'account' | 'session'>): Db => ({
    ownerOf: async (id) => (await queries.account.findUnique({ where: { id } }))?.owner,
    tenant: async () => (await queries.session.findUnique({ where: { id: 1 } }))?.tenant,
  })
  return {
    ...dbOf(prisma),
    setTenant: async (tenant) => await prisma.$queryRawUnsafe(SET_TENANT, tenant),
    transaction: (work) => prisma.$transaction((transaction) => work(dbOf(transaction))),
    callbacks: {
      then: async (id, answered) => await prisma.account.findUnique({ where: { id } }).then(answered),
      'a raw query': async (id, answered) =>
        await prisma.$queryRawUnsafe('select owner from accounts where id = $1', id).then(answered),
      'an extension': async (id, answered) => {
        const extended = prisma.$extends({
          query: {
            async $allOperations({ args, query }: { args: unknown; query: (args: unknown) => Promise<unknown> }) {
              const result = await query(args)
              answered()
              return result
            },
          },
        })
        await extended.account.findUnique({ where: { id } })
      },
      'a batch': (id, answered) => prisma.$transaction([prisma.account.findUnique({ where: { id } })]).then(answered),
      'the callback of a transaction': (id, answered) =>
        prisma.$transaction(async (transaction) => {
          await transaction.account.findFirst({ where: { id } })
          answered()
        }),
    },
  }
}
