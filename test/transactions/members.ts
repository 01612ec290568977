import { createDrizzle } from '@leasehold/drizzle'
import { createKnex } from '@leasehold/knex'
import type { LeasedPgPool } from '@leasehold/pg'
import { createPrismaAdapter, leasePrisma } from '@leasehold/prisma'
import { sql } from 'drizzle-orm'
import { loadClient } from '../../packages/adapters/prisma/src/testing/test-client.js'

/** Sends a text, and resolves with its rows. */
export type Run = (text: string) => Promise<readonly unknown[]>

/** One way to the database, reduced to what these tests do with it. */
export interface Member {
  /** On the root object: a lone statement. */
  readonly run: Run
  /** Runs `work` in a transaction of its own making: rolled back when it throws. */
  transaction(work: (run: Run) => Promise<void>, isolation?: Isolation): Promise<void>
}

export interface Isolation {
  /** As SQL says it. */
  readonly level: 'serializable' | 'repeatable read'
  /** As Prisma says it. */
  readonly named: 'Serializable' | 'RepeatableRead'
}

export interface MemberKind {
  readonly name: string
  open(pool: LeasedPgPool): Promise<Member>
}

export const MEMBERS: readonly MemberKind[] = [
  {
    name: 'pg',
    async open(pool) {
      return {
        run: async (text) => (await pool.query(text)).rows,
        transaction: async (work, isolation) => {
          const client = await pool.connect()
          try {
            await client.query(isolation === undefined ? 'BEGIN' : `BEGIN ISOLATION LEVEL ${isolation.level}`)
            await work(async (text) => (await client.query(text)).rows)
            await client.query('COMMIT')
          } catch (error) {
            await client.query('ROLLBACK').catch(() => {})
            throw error
          } finally {
            client.release()
          }
        },
      }
    },
  },
  {
    name: 'Knex',
    async open(pool) {
      const db = createKnex(pool, { log: { warn() {}, error() {} } })
      const rowsOf = async (query: PromiseLike<unknown>): Promise<readonly unknown[]> =>
        ((await query) as { rows: unknown[] }).rows
      return {
        run: (text) => rowsOf(db.raw(text)),
        transaction: (work, isolation) =>
          db.transaction(
            async (transaction) => await work((text) => rowsOf(transaction.raw(text))),
            isolation && { isolationLevel: isolation.level },
          ),
      }
    },
  },
  {
    name: 'Drizzle',
    async open(pool) {
      const db = createDrizzle(pool)
      return {
        run: async (text) => (await db.execute(sql.raw(text))).rows,
        transaction: (work, isolation) =>
          db.transaction(
            (transaction) => work(async (text) => (await transaction.execute(sql.raw(text))).rows),
            isolation && { isolationLevel: isolation.level },
          ),
      }
    },
  },
  {
    name: 'Prisma',
    async open(pool) {
      const PrismaClient = await loadClient()
      const prisma = leasePrisma(new PrismaClient({ adapter: createPrismaAdapter(pool) }), pool)
      return {
        run: async (text) => await prisma.$queryRawUnsafe<unknown[]>(text),
        transaction: (work, isolation) =>
          prisma.$transaction(
            (transaction) => work(async (text) => await transaction.$queryRawUnsafe<unknown[]>(text)),
            isolation && { isolationLevel: isolation.named },
          ),
      }
    },
  },
]
