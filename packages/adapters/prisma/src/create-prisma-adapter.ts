import { markOwnFrames, PoolClosedError, refuseFaults } from '@leasehold/core'
import { checkFacade, type LeasedPgPool } from '@leasehold/pg'
import { PrismaPg } from '@prisma/adapter-pg'
import { AsyncLocalStorage } from 'node:async_hooks'
import { type AdapterState, adapterState } from './adapter-state.js'
import { checkAdapterOptions, type PrismaAdapterOptions } from './check-adapter-options.js'
import { checkAdapterVersion } from './check-adapter-version.js'
import { LeasedPrismaPg } from './leased-prisma-pg.js'

markOwnFrames(new Error('where @leasehold/prisma lies'))

/**
 * Prisma's adapter for PostgreSQL on a pool of ours: `new PrismaClient({ adapter: createPrismaAdapter(pool) })`. The pool
 * is shared and outlives the client: `$disconnect()` leaves it alone.
 *
 * @param options those of `new PrismaPg(pool, options)`.
 * @throws {InvalidOptionsError} naming all that is wrong with `pool` and `options`; also for an adapter of Prisma before 6.19.
 * @throws {PoolClosedError} when the pool is closed.
 */
export function createPrismaAdapter(pool: LeasedPgPool, options: PrismaAdapterOptions = {}): PrismaPg {
  checkAdapterVersion(PrismaPg)
  refuseFaults('createPrismaAdapter', [...checkFacade(pool), ...checkAdapterOptions(options)])
  if (pool.ending) throw new PoolClosedError(pool.leases.options.name)
  const state: AdapterState = { pool, calls: new AsyncLocalStorage(), isLeased: false }
  const adapter = new LeasedPrismaPg(state, options)
  adapterState.set(adapter, state)
  return adapter
}
