import { checkOptions, nonEmptyText } from '@leasehold/core'

/**
 * The token under which the module provides a pool, for `inject` and `overrideProvider`. It reads as a sentence because
 * Nest prints it when nobody provides it.
 *
 * @param name the pool's name in `pools`; the only pool is called `main`.
 * @throws {InvalidOptionsError} for what is no name.
 */
export function getPoolToken(name = 'main'): string {
  checkOptions('getPoolToken', { name }, { name: nonEmptyText })
  return `the pool "${name}" of LeaseholdModule.forRoot`
}
