import { createKnex } from '@leasehold/knex'
import knex, { type Knex } from 'knex'
import { EQUAL_TERMS } from '../contestants/contestant.js'
import type { OpenOrm, Orm } from './orm.js'
import { poolTerms } from './pool-terms.js'
import { openOurPool } from '../contestants/open-our-pool.js'

export const openKnex: OpenOrm = (pooling, url) => {
  if (pooling === 'ours') return ormOf(createKnex(openOurPool(poolTerms(url))))
  const own = knex({
    client: 'pg',
    connection: { connectionString: url },
    acquireConnectionTimeout: EQUAL_TERMS.acquireTimeoutMs,
    pool: { min: 0, max: EQUAL_TERMS.max, idleTimeoutMillis: EQUAL_TERMS.idleTimeoutMs },
  })
  return ormOf(own)
}

function ormOf(db: Knex): Orm {
  return { find: (id) => db('orders').where({ id }).first<unknown>() }
}
