import { createDrizzle } from '@leasehold/drizzle'
import { createKnex } from '@leasehold/knex'
import type { LeasedPgPool } from '@leasehold/pg'
import { createPrismaAdapter, leasePrisma } from '@leasehold/prisma'
import { sql } from 'drizzle-orm'
import type { Knex } from 'knex'
import type * as pg from 'pg'
import { loadClient } from '../../packages/adapters/prisma/src/testing/test-client.js'

/** Sends a text, and resolves with its rows. */
export type Run = (text: string) => Promise<readonly unknown[]>

/** Runs work in a transaction, rolled back when it throws. */
export type Begin = (work: Work) => Promise<void>

/** @param begin makes a transaction inside this one, on the object of this one: as far as the ORM knows how. */
export type Work = (run: Run, begin: Begin) => Promise<void>

/** One way to the database, reduced to what these tests do with it. */
export interface Member {
  /** On the root object: a lone statement. */
  readonly run: Run
  /** Runs `work` in a transaction of its own making: rolled back when it throws. */
  transaction(work: Work, isolation?: Isolation): Promise<void>
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
            await work(async (text) => (await client.query(text)).rows, savepointsOf(client))
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
      return {
        run: runOf(db),
        transaction: (work, isolation) => beginOn(db, work, isolation && { isolationLevel: isolation.level }),
      }

      function runOf(on: Knex): Run {
        return async (text) => ((await on.raw(text)) as unknown as { rows: unknown[] }).rows
      }

      async function beginOn(on: Knex, work: Work, config?: Knex.TransactionConfig): Promise<void> {
        await on.transaction(async (trx) => await work(runOf(trx), (inner) => beginOn(trx, inner)), config)
      }
    },
  },
  {
    name: 'Drizzle',
    async open(pool) {
      const db = createDrizzle(pool)
      return {
        run: runOf(db),
        transaction: (work, isolation) =>
          db.transaction((tx) => perform(tx, work), isolation && { isolationLevel: isolation.level }),
      }

      function runOf(on: Pick<typeof db, 'execute'>): Run {
        return async (text) => (await on.execute(sql.raw(text))).rows
      }

      function perform(tx: Pick<typeof db, 'execute' | 'transaction'>, work: Work): Promise<void> {
        return work(runOf(tx), (inner) => tx.transaction((nested) => perform(nested, inner)))
      }
    },
  },
  {
    name: 'Prisma',
    async open(pool) {
      const PrismaClient = await loadClient()
      const prisma = leasePrisma(new PrismaClient({ adapter: createPrismaAdapter(pool) }), pool)
      return {
        run: runOf(prisma),
        transaction: (work, isolation) =>
          prisma.$transaction((tx) => perform(tx, work), isolation && { isolationLevel: isolation.named }),
      }

      function runOf(on: Pick<typeof prisma, '$queryRawUnsafe'>): Run {
        return async (text) => await on.$queryRawUnsafe<unknown[]>(text)
      }

      function perform(tx: Pick<typeof prisma, '$queryRawUnsafe'>, work: Work): Promise<void> {
        // Prisma 6 has no transaction inside one.
        const nesting = tx as Partial<Pick<typeof prisma, '$transaction'>> & typeof tx
        return work(runOf(tx), async (inner) => {
          if (nesting.$transaction === undefined) throw new Error('this Prisma has no transactions inside its own')
          await nesting.$transaction((nested: typeof tx) => perform(nested, inner))
        })
      }
    },
  },
]

function savepointsOf(client: pg.PoolClient): Begin {
  let made = 0
  return async function begin(work) {
    made += 1
    const name = `inner_${made}`
    await client.query(`SAVEPOINT ${name}`)
    try {
      await work(async (text) => (await client.query(text)).rows, begin)
      await client.query(`RELEASE SAVEPOINT ${name}`)
    } catch (error) {
      await client.query(`ROLLBACK TO SAVEPOINT ${name}`)
      throw error
    }
  }
}
