import { createDrizzle } from '@leasehold/drizzle'
import { createKnex } from '@leasehold/knex'
import type { LeasedPgPool } from '@leasehold/pg'
import { createPrismaAdapter, leasePrisma } from '@leasehold/prisma'
import { sql } from 'drizzle-orm'
import { loadClient } from '../../packages/adapters/prisma/src/testing/test-client.js'

/** One ORM on the pool, reduced to what the journeys do with it. */
export interface Orm {
  /** Inserts a row in a transaction of the ORM's own, and goes on in it; `sleep` is a statement that runs for a minute. */
  transaction(goOn: (sleep: () => Promise<unknown>) => Promise<void>): Promise<void>
  /** Inserts a row with a lone statement. */
  insert(): Promise<unknown>
}

export interface OrmKind {
  readonly name: string
  open(pool: LeasedPgPool): Promise<Orm>
}

const INSERT = 'insert into rows values (1)'
const SLEEP = 'select pg_sleep(60)::text'
const MINUTE_MS = 60_000

export const ORMS: readonly OrmKind[] = [
  {
    name: 'Knex',
    async open(pool) {
      const db = createKnex(pool, { log: { warn() {}, error() {} } })
      return {
        transaction: (goOn) =>
          db.transaction(async (transaction) => {
            await transaction.raw(INSERT)
            await goOn(async () => await transaction.raw(SLEEP))
          }),
        insert: async () => await db.raw(INSERT),
      }
    },
  },
  {
    name: 'Drizzle',
    async open(pool) {
      const db = createDrizzle(pool)
      return {
        transaction: (goOn) =>
          db.transaction(async (transaction) => {
            await transaction.execute(sql.raw(INSERT))
            await goOn(async () => await transaction.execute(sql.raw(SLEEP)))
          }),
        insert: async () => await db.execute(sql.raw(INSERT)),
      }
    },
  },
  {
    name: 'Prisma',
    async open(pool) {
      const PrismaClient = await loadClient()
      const prisma = leasePrisma(new PrismaClient({ adapter: createPrismaAdapter(pool) }), pool)
      return {
        transaction: (goOn) =>
          prisma.$transaction(
            async (transaction) => {
              await transaction.$executeRaw`insert into rows values (1)`
              await goOn(async () => await transaction.$queryRawUnsafe(SLEEP))
            },
            { timeout: MINUTE_MS },
          ),
        insert: async () => await prisma.$executeRaw`insert into rows values (1)`,
      }
    },
  },
]
