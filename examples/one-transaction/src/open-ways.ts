import { createDrizzle } from '@leasehold/drizzle'
import { only } from '@leasehold/example-orders'
import { createKnex } from '@leasehold/knex'
import type { LeasedPgPool } from '@leasehold/pg'
import { createPrismaAdapter, leasePrisma } from '@leasehold/prisma'
import { sql } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { PrismaClient } from '../.generated/client/client.js'
import type { Place, Way } from './way.js'

const WHERE = 'select pg_backend_pid() as pid, txid_current()::text as transaction'

const orders = pgTable('orders', {
  accountId: integer('account_id').notNull(),
  item: text().notNull(),
  amountCents: integer('amount_cents').notNull(),
})

/** Four ways to one database. None of them is told of a transaction: they are told of the pool. */
export function openWays(pool: LeasedPgPool): readonly Way[] {
  const knex = createKnex(pool)
  const db = createDrizzle(pool)
  const prisma = leasePrisma(new PrismaClient({ adapter: createPrismaAdapter(pool) }), pool)
  return [
    {
      name: 'pg',
      async order(accountId, item) {
        const client = await pool.connect()
        try {
          await client.query('begin')
          await client.query('insert into orders (account_id, item, amount_cents) values ($1, $2, 100)', [
            accountId,
            item,
          ])
          await client.query('commit')
        } finally {
          client.release()
        }
      },
      place: async () => only((await pool.query<Place>(WHERE)).rows),
    },
    {
      name: 'Knex',
      order: (accountId, item) =>
        knex.transaction(async (trx) => {
          await trx('orders').insert({ account_id: accountId, item, amount_cents: 100 })
        }),
      place: async () => only((await knex.raw<{ rows: Place[] }>(WHERE)).rows),
    },
    {
      name: 'Drizzle',
      order: (accountId, item) =>
        db.transaction(async (tx) => {
          await tx.insert(orders).values({ accountId, item, amountCents: 100 })
        }),
      place: async () => only((await db.execute<Place & Record<string, unknown>>(sql.raw(WHERE))).rows),
    },
    {
      name: 'Prisma',
      order: (accountId, item) =>
        prisma.$transaction(async (tx) => {
          await tx.order.create({ data: { accountId, item, amountCents: 100 } })
        }),
      place: async () => only(await prisma.$queryRawUnsafe<Place[]>(WHERE)),
    },
  ]
}
