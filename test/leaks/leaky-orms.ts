import { createDrizzle } from '@leasehold/drizzle'
import { createKnex } from '@leasehold/knex'
import type { LeasedPgPool } from '@leasehold/pg'
import { createPrismaAdapter, leasePrisma } from '@leasehold/prisma'
import { sql } from 'drizzle-orm'
import { loadClient } from '../../packages/adapters/prisma/src/testing/test-client.js'

/** One ORM on the pool, reduced to the ways in which it can keep a connection for too long. */
export interface LeakyOrm {
  /** Runs a transaction that has inserted a row and then does `meanwhile`, without the database. */
  transaction(meanwhile: () => Promise<unknown>): Promise<void>
  /** Begins a transaction, inserts a row, and never comes back to it. */
  abandon(): Promise<void>
}

export interface LeakyOrmKind {
  readonly name: string
  /** Whether it keeps its transactions itself, and ends those that take too long: then none is ever forgotten. */
  readonly endsWhatIsForgotten: boolean
  open(pool: LeasedPgPool): Promise<LeakyOrm>
}

const INSERT = 'insert into rows values (1)'
const MINUTE_MS = 60_000

/** Begins a transaction whose callback never ends, and resolves when it has inserted its row. */
function abandoned(transaction: LeakyOrm['transaction']): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction(() => {
      resolve()
      return new Promise(() => {})
    }).catch(reject)
  })
}

export const LEAKY_ORMS: readonly LeakyOrmKind[] = [
  {
    name: 'Knex',
    endsWhatIsForgotten: false,
    async open(pool) {
      const db = createKnex(pool, { log: { warn() {}, error() {} } })
      return {
        transaction: (meanwhile) =>
          db.transaction(async (transaction) => {
            await transaction.raw(INSERT)
            await meanwhile()
          }),
        abandon: async () => {
          const transaction = await db.transaction()
          await transaction.raw(INSERT)
        },
      }
    },
  },
  {
    name: 'Drizzle',
    endsWhatIsForgotten: false,
    async open(pool) {
      const db = createDrizzle(pool)
      const transaction: LeakyOrm['transaction'] = (meanwhile) =>
        db.transaction(async (inside) => {
          await inside.execute(sql.raw(INSERT))
          await meanwhile()
        })
      return { transaction, abandon: () => abandoned(transaction) }
    },
  },
  {
    name: 'Prisma',
    endsWhatIsForgotten: true,
    async open(pool) {
      const PrismaClient = await loadClient()
      const prisma = leasePrisma(new PrismaClient({ adapter: createPrismaAdapter(pool) }), pool)
      const transaction: LeakyOrm['transaction'] = (meanwhile) =>
        prisma.$transaction(
          async (inside) => {
            await inside.$executeRaw`insert into rows values (1)`
            await meanwhile()
          },
          { timeout: MINUTE_MS },
        )
      return { transaction, abandon: () => abandoned(transaction) }
    },
  },
]
