import { createDrizzle } from '@leasehold/drizzle'
import { eq } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { Pool } from 'pg'
import type { OpenOrm } from './orm.js'
import { poolTerms } from './pool-terms.js'
import { openOurPool } from '../contestants/open-our-pool.js'

const orders = pgTable('orders', { id: integer().primaryKey(), item: text(), cents: integer() })

export const openDrizzle: OpenOrm = (pooling, url) => {
  const terms = poolTerms(url)
  const db = pooling === 'ours' ? createDrizzle(openOurPool(terms)) : drizzle({ client: new Pool(terms) })
  return { find: (id) => db.select().from(orders).where(eq(orders.id, id)) }
}
