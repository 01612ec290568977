/**
 * The token under which the module provides a pool, for `inject` and `overrideProvider`. It reads as a sentence because
 * Nest prints it when nobody provides it.
 *
 * @param name the pool's name in `pools`; the only pool is called `main`.
 */
export function getPoolToken(name = 'main'): string {
  return `the pool "${name}" of LeaseholdModule.forRoot`
}
