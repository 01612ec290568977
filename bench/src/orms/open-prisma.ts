import { createPrismaAdapter, leasePrisma } from '@leasehold/prisma'
import { PrismaPg } from '@prisma/adapter-pg'
import { loadPrismaClient, type PrismaClient } from './load-prisma-client.js'
import type { OpenOrm, Orm } from './orm.js'
import { poolTerms } from './pool-terms.js'
import { openOurPool } from '../contestants/open-our-pool.js'

export const openPrisma: OpenOrm = async (pooling, url) => {
  const Client = await loadPrismaClient()
  if (pooling === 'own') return ormOf(new Client({ adapter: new PrismaPg(poolTerms(url)) }))
  const pool = openOurPool(poolTerms(url))
  return ormOf(leasePrisma(new Client({ adapter: createPrismaAdapter(pool) }), pool))
}

/** Not `findUnique`: on its own Prisma merges those of different callers into one statement, which ours must not do. */
function ormOf(client: PrismaClient): Orm {
  return { find: (id) => client.order.findFirst({ where: { id } }) }
}
