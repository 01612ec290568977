import { createPool, type Pool, type PoolOptions } from '@leasehold/core'
import { FakeClock } from './fake-clock.js'
import type { FakeClient } from './fake-client.js'
import { FakeDriver, type FakeDriverOptions } from './fake-driver.js'

/** A pool that stands on fakes alone, and what a test needs to move and to see them. */
export interface FakePool {
  readonly pool: Pool<FakeClient>
  readonly driver: FakeDriver
  readonly clock: FakeClock
}

export function openFakePool(options: PoolOptions<FakeClient> = {}, driverOptions: FakeDriverOptions = {}): FakePool {
  const clock = new FakeClock()
  const driver = new FakeDriver(driverOptions)
  return { pool: createPool<FakeClient>(driver, { name: 'test', clock, ...options }), driver, clock }
}
