import { createDrizzle } from '@leasehold/drizzle'
import { createKnex } from '@leasehold/knex'
import type { LeasedPgPool } from '@leasehold/pg'
import { createPrismaAdapter, leasePrisma } from '@leasehold/prisma'
import { PrismaPg } from '@prisma/adapter-pg'
import { eq, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import knex, { type Knex } from 'knex'
import { Pool } from 'pg'
import type * as pg from 'pg'
import { EQUAL_TERMS } from '../contestants/contestant.js'
import { loadPrismaClient, type PrismaClient } from '../orms/load-prisma-client.js'
import { poolTerms } from '../orms/pool-terms.js'
import { openOurPool } from '../contestants/open-our-pool.js'

/**
 * `own`: its own transaction, on the pool that it makes or is commonly given. `ours`: the same, on our pool. `declared`: its
 * statements on the root object, inside `pool.transaction`.
 */
export type Way = 'own' | 'ours' | 'declared'

export type TransactorName = 'pg' | 'Knex' | 'Drizzle' | 'Prisma'

/** Runs a transaction of three statements: an order is read, changed, and read again. */
export type Transact = (id: number) => PromiseLike<unknown>

/** Opens one way of one kind, on the database at `url`. */
export type OpenTransactor = (way: Way, url: string) => Transact | Promise<Transact>

const READ = 'select id, item, cents from orders where id = $1'
const CHANGE = 'update orders set cents = cents + 1 where id = $1'

/** By hand, and by `pool.transaction`, whose callback is given a client: there is nothing in between. */
const openPg: OpenTransactor = (way, url) => {
  const three = async (client: Pick<pg.ClientBase, 'query'>, id: number): Promise<unknown> => {
    await client.query(READ, [id])
    await client.query(CHANGE, [id])
    return client.query(READ, [id])
  }
  if (way === 'declared') {
    const pool = openOurPool(poolTerms(url))
    return (id) => pool.transaction((client) => three(client, id))
  }
  const pool = way === 'ours' ? openOurPool(poolTerms(url)) : new Pool(poolTerms(url))
  return async (id) => {
    const client = await pool.connect()
    try {
      await client.query('BEGIN')
      const read = await three(client, id)
      await client.query('COMMIT')
      return read
    } catch (error) {
      await client.query('ROLLBACK')
      throw error
    } finally {
      client.release()
    }
  }
}

const openKnex: OpenTransactor = (way, url) => {
  const three = async (db: Knex, id: number): Promise<unknown> => {
    await db('orders').where({ id }).first()
    await db('orders').where({ id }).increment('cents', 1)
    return db('orders').where({ id }).first<unknown>()
  }
  if (way === 'own') {
    const own = knex({
      client: 'pg',
      connection: { connectionString: url },
      acquireConnectionTimeout: EQUAL_TERMS.acquireTimeoutMs,
      pool: { min: 0, max: EQUAL_TERMS.max, idleTimeoutMillis: EQUAL_TERMS.idleTimeoutMs },
    })
    return (id) => own.transaction((trx) => three(trx, id))
  }
  const pool = openOurPool(poolTerms(url))
  const db = createKnex(pool)
  return way === 'declared' ? declared(pool, (id) => three(db, id)) : (id) => db.transaction((trx) => three(trx, id))
}

const orders = pgTable('orders', { id: integer().primaryKey(), item: text(), cents: integer() })

const openDrizzle: OpenTransactor = (way, url) => {
  type Database = Pick<ReturnType<typeof createDrizzle>, 'select' | 'update'>
  const three = async (db: Database, id: number): Promise<unknown> => {
    await db.select().from(orders).where(eq(orders.id, id))
    await db
      .update(orders)
      .set({ cents: sql`${orders.cents} + 1` })
      .where(eq(orders.id, id))
    return db.select().from(orders).where(eq(orders.id, id))
  }
  if (way === 'own') {
    const own = drizzle({ client: new Pool(poolTerms(url)) })
    return (id) => own.transaction((tx) => three(tx, id))
  }
  const pool = openOurPool(poolTerms(url))
  const db = createDrizzle(pool)
  return way === 'declared' ? declared(pool, (id) => three(db, id)) : (id) => db.transaction((tx) => three(tx, id))
}

const openPrisma: OpenTransactor = async (way, url) => {
  const three = async ({ order }: Pick<PrismaClient, 'order'>, id: number): Promise<unknown> => {
    await order.findFirst({ where: { id } })
    await order.updateMany({ where: { id }, data: { cents: { increment: 1 } } })
    return order.findFirst({ where: { id } })
  }
  const Client = await loadPrismaClient()
  if (way === 'own') {
    const own = new Client({ adapter: new PrismaPg(poolTerms(url)) })
    return (id) => own.$transaction((tx) => three(tx, id), UNHURRIED)
  }
  const pool = openOurPool(poolTerms(url))
  const client = leasePrisma(new Client({ adapter: createPrismaAdapter(pool) }), pool)
  if (way === 'declared') return declared(pool, (id) => three(client, id))
  return (id) => client.$transaction((tx) => three(tx, id), UNHURRIED)
}

/** By itself Prisma waits 2 s for a transaction, and lets it take 5: too little for a cold start on a busy machine. */
const UNHURRIED = { maxWait: 20_000, timeout: 20_000 }

function declared(pool: LeasedPgPool, three: Transact): Transact {
  return (id) => pool.transaction(() => three(id))
}

export const TRANSACTORS: Readonly<Record<TransactorName, OpenTransactor>> = {
  pg: openPg,
  Knex: openKnex,
  Drizzle: openDrizzle,
  Prisma: openPrisma,
}
