import { createPool, type Lease, type Pool } from '@leasehold/core'
import type { FakeClient } from '../fake-client.js'
import { FakeDriver } from '../fake-driver.js'
import { describeFacadeContract, type FacadeContractHarness } from './describe-facade-contract.js'

type Held = Lease<FakeClient>

/** The core pool itself is the plainest facade of all. */
function harnessOf(driver: FakeDriver, pool: Pool<FakeClient>): FacadeContractHarness<Held> {
  const on = (lease: Held | 'pool', statement: string): Promise<string> =>
    lease === 'pool' ? pool.use((client) => client.query(statement)) : lease.client.query(statement)
  return {
    leases: pool,
    acquire: () => pool.acquire(),
    release: (lease) => lease.release(),
    discard: (lease) => lease.discard('the test says so'),
    query: (lease) => on(lease, 'select'),
    failingQuery: (lease) => on(lease, 'fail'),
    endlessQuery: (lease) => {
      driver.script.next('query', 'never')
      return on(lease, 'endless')
    },
    begin: (lease) => on(lease, 'begin'),
    isInTransaction: async (lease) => driver.sessions[lease.client.id - 1]?.transaction !== 'idle',
    sessionOf: async (lease) => lease.client.id,
    kill: (session) => {
      for (const each of driver.sessions) if (each.id === session) driver.kill(each)
    },
    close: () => pool.close({ deadlineMs: 0 }),
  }
}

describeFacadeContract('the core pool', (options) => {
  const driver = new FakeDriver()
  return harnessOf(driver, createPool(driver, options))
})
