import { createPool, type Lease, type PoolOptions } from '@leasehold/core'
import { EQUAL_TERMS, type Contestant } from './contestant.js'
import { stubDriver, type WatchedClient } from './stub-driver.js'

/** Ours, as a service has it: in a scope, with a fenced handle made for every lease. */
export function leasehold(name: string, captureSites: NonNullable<PoolOptions['captureSites']>): Contestant {
  return {
    name,
    open() {
      const pool = createPool(stubDriver(), { ...EQUAL_TERMS, captureSites })
      return {
        acquire: () => pool.acquire(),
        release(lease: Lease<WatchedClient>) {
          // The handle is made when it is first asked for; a lease whose client nobody looks at would be half a lease.
          void lease.client
          lease.release()
        },
        close: () => pool.close(),
      }
    },
  }
}
