import type { Driver } from '../ports/driver.js'
import { checkOptions } from './check-options.js'
import { nonEmptyText, objectWith, type OptionRule, required } from './option-rules.js'

const methods = objectWith('a driver', ['connect', 'check', 'watch', 'reset', 'close', 'classify'])

const driverRule: OptionRule = {
  expected: `${methods.expected}, and a name`,
  accepts: (value) => methods.accepts(value) && nonEmptyText.accepts((value as { name?: unknown }).name),
}

/** Refuses what no connections can be opened with: settings in place of a driver, another pool, a driver half written. */
export function checkDriver(driver: unknown): asserts driver is Driver<unknown> {
  checkOptions('createPool', { driver }, { driver: required(driverRule) })
}
