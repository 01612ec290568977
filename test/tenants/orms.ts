import { createDrizzle } from '@leasehold/drizzle'
import { createKnex } from '@leasehold/knex'
import type { LeasedPgPool } from '@leasehold/pg'
import { createPrismaAdapter, leasePrisma } from '@leasehold/prisma'
import { eq, sql } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import type { Knex } from 'knex'
import { loadClient, type Queries } from '../../packages/adapters/prisma/src/testing/test-client.js'

/** What a tenant's request does with an ORM, or within a transaction of it. */
export interface TenantDb {
  /** The owners of all accounts that there are, to whoever asks. */
  owners(): Promise<string[]>
  /** Whose an account is; undefined when there is none, to whoever asks. */
  ownerOf(account: number): Promise<string | undefined>
  open(account: number, owner: string): Promise<unknown>
  /** A statement that the server refuses. */
  fail(): Promise<unknown>
}

export interface TenantOrm extends TenantDb {
  transaction<R>(work: (db: TenantDb) => Promise<R>): Promise<R>
}

export interface TenantOrmKind {
  readonly name: string
  open(pool: LeasedPgPool): Promise<TenantOrm>
}

const FAILING = 'select 1/0 as x'

export const ORMS: readonly TenantOrmKind[] = [
  { name: 'Knex', open: async (pool) => openKnex(pool) },
  { name: 'Drizzle', open: async (pool) => openDrizzle(pool) },
  { name: 'Prisma', open: openPrisma },
]

function openKnex(pool: LeasedPgPool): TenantOrm {
  const knex = createKnex(pool, { log: { warn() {}, error() {} } })
  const dbOf = (queries: Knex): TenantDb => ({
    owners: async () => (await queries<{ owner: string }>('accounts').select('owner')).map(({ owner }) => owner),
    ownerOf: async (id) => (await queries<{ id: number; owner: string }>('accounts').where({ id }).first())?.owner,
    open: async (id, owner) => await queries('accounts').insert({ id, owner }),
    fail: async () => await queries.raw(FAILING),
  })
  return { ...dbOf(knex), transaction: (work) => knex.transaction((transaction) => work(dbOf(transaction))) }
}

function openDrizzle(pool: LeasedPgPool): TenantOrm {
  const accounts = pgTable('accounts', { id: integer().primaryKey(), owner: text().notNull() })
  const db = createDrizzle(pool, { schema: { accounts } })
  const dbOf = (queries: Pick<typeof db, 'query' | 'select' | 'insert' | 'execute'>): TenantDb => ({
    owners: async () => (await queries.select().from(accounts)).map(({ owner }) => owner),
    ownerOf: async (id) => (await queries.query.accounts.findFirst({ where: eq(accounts.id, id) }))?.owner,
    open: (id, owner) => queries.insert(accounts).values({ id, owner }),
    fail: () => queries.execute(sql.raw(FAILING)),
  })
  return { ...dbOf(db), transaction: (work) => db.transaction((transaction) => work(dbOf(transaction))) }
}

async function openPrisma(pool: LeasedPgPool): Promise<TenantOrm> {
  const PrismaClient = await loadClient()
  const prisma = leasePrisma(new PrismaClient({ adapter: createPrismaAdapter(pool) }), pool)
  const dbOf = (queries: Queries): TenantDb => ({
    owners: async () => (await queries.account.findMany()).map(({ owner }) => owner),
    ownerOf: async (id) => (await queries.account.findUnique({ where: { id } }))?.owner,
    open: (id, owner) => Promise.resolve(queries.account.create({ data: { id, owner } })),
    fail: () => Promise.resolve(queries.$queryRawUnsafe(FAILING)),
  })
  return {
    ...dbOf(prisma),
    transaction: (work) =>
      prisma.$transaction((transaction) => work(dbOf(transaction)), { maxWait: 30_000, timeout: 30_000 }),
  }
}
