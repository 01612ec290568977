import { markOwnFrames, PoolClosedError, refuseFaults } from '@leasehold/core'
import { checkFacade, type LeasedPgPool } from '@leasehold/pg'
import { checkDrizzleConfig } from './check-drizzle-config.js'
import { checkDrizzleVersion } from './check-drizzle-version.js'
import { internalsOf } from './drizzle-internals.js'
import { leaseTransactions } from './lease-transactions.js'
import { nameCallers } from './name-callers.js'

markOwnFrames(new Error('where @leasehold/drizzle lies'))

/** What is needed of an installed Drizzle. */
export interface DrizzleLibrary {
  readonly drizzle: (config: never) => object
  readonly npmVersion: string
}

/** A database of this Drizzle, on leases. */
export function drizzleOnLeases({ drizzle, npmVersion }: DrizzleLibrary, pool: LeasedPgPool, config: object): object {
  checkDrizzleVersion(npmVersion)
  refuseFaults('createDrizzle', [...checkFacade(pool), ...checkDrizzleConfig(config, npmVersion)])
  if (pool.ending) throw new PoolClosedError(pool.leases.options.name)
  // The logger first: Drizzle 0.45 tells a configuration from a client by the first name of its own that it finds.
  const db = drizzle({ logger: undefined, ...config, client: pool } as never)
  const internals = internalsOf(db, pool, npmVersion)
  leaseTransactions(internals.session, pool)
  nameCallers(internals, pool)
  return db
}
