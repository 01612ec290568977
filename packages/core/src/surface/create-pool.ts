import { printDebugLines } from '../events/debug-lines.js'
import { checkDriver } from '../options/check-driver.js'
import { checkPoolOptions } from '../options/check-pool-options.js'
import type { PoolOptions } from '../options/pool-options.js'
import { systemClock } from '../pool/system-clock.js'
import type { Driver } from '../ports/driver.js'
import { Pool } from './pool.js'

/**
 * Makes a pool of connections that `driver` opens. Nothing is opened before the first acquire, unless `warmUp` says so.
 *
 * @throws {InvalidOptionsError} naming all that is wrong with `options`; and for what is no driver.
 */
export function createPool<Client>(driver: Driver<Client>, options?: PoolOptions<Client>): Pool<Client> {
  checkDriver(driver)
  if (process.env['LEASEHOLD_DEBUG'] === '1') printDebugLines()
  return new Pool(driver, checkPoolOptions<Client>(options, driver.name, { clock: systemClock }))
}
