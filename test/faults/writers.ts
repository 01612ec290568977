import { setTimeout as sleep } from 'node:timers/promises'
import { runInScope } from '@leasehold/core'
import { createDrizzle } from '@leasehold/drizzle'
import { createKnex } from '@leasehold/knex'
import type { LeasedPgPool } from '@leasehold/pg'
import { createPrismaAdapter, leasePrisma } from '@leasehold/prisma'
import type { Writer } from '@leasehold/testkit/faults'
import { sql } from 'drizzle-orm'
import { loadClient } from '../../packages/adapters/prisma/src/testing/test-client.js'

/** How long a caller is ready to wait for a connection. What it does then is bounded by `query_timeout`. */
export const DEADLINE_MS = 600

const THINKING_MS = 5

/** What each writer does with the one pool: a lone statement, or a transaction in which it thinks for a moment. */
export async function writersOn(pool: LeasedPgPool): Promise<readonly Writer[]> {
  const knex = createKnex(pool, { log: { warn() {}, error() {} } })
  const drizzle = createDrizzle(pool)
  const PrismaClient = await loadClient()
  const prisma = leasePrisma(new PrismaClient({ adapter: createPrismaAdapter(pool) }), pool)
  const think = (): Promise<unknown> => sleep(THINKING_MS)
  return [
    // The sleep makes it likely that a statement is just running when something happens.
    writer('Knex', (id) => knex.raw('insert into written_rows select ?::int from pg_sleep(0.003)', [id])),
    writer('Knex, in transactions', (id) =>
      knex.transaction(async (transaction) => {
        await transaction('written_rows').insert({ id })
        await think()
      }),
    ),
    writer('Drizzle', (id) =>
      drizzle.execute(sql`insert into written_rows select ${id}::int from pg_sleep(0.003)`),
    ),
    writer('Drizzle, in transactions', (id) =>
      drizzle.transaction(async (transaction) => {
        await transaction.execute(sql`insert into written_rows values (${id})`)
        await think()
      }),
    ),
    writer(
      'Prisma',
      (id) => prisma.$executeRaw`insert into written_rows select ${id}::int from pg_sleep(0.003)`,
    ),
    writer('Prisma, in transactions', (id) =>
      prisma.$transaction(async (transaction) => {
        await transaction.$executeRaw`insert into written_rows values (${id})`
        await think()
      }),
    ),
  ]
}

function writer(name: string, write: (id: number) => PromiseLike<unknown>): Writer {
  return {
    name,
    write: (id) => runInScope({ label: name, deadlineMs: DEADLINE_MS }, async () => await write(id)),
  }
}
