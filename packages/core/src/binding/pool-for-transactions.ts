import { InvalidOptionsError } from '../errors/invalid-options-error.js'
import { type BoundPool, boundPoolOf, type PoolSource } from './pool-source.js'

/**
 * The pool that a declared transaction runs on: the one of this name; without a name the only one, or of several `main`.
 *
 * @param of what reads well before "cannot be used": `@Transactional of Orders.write`.
 * @throws {InvalidOptionsError} when there is no such pool, with the names that there are.
 */
export function poolForTransactions(
  of: string,
  pools: Readonly<Record<string, PoolSource>>,
  name: string | undefined,
): BoundPool {
  const names = Object.keys(pools)
  const wanted = name ?? (names.length === 1 ? names[0] : 'main') ?? 'main'
  if (Object.hasOwn(pools, wanted)) return withTransactions(of, boundPoolOf(pools[wanted] as PoolSource))
  const received = name === undefined ? `none, and no pool is called "${wanted}"` : JSON.stringify(name)
  throw new InvalidOptionsError(of, [{ option: 'pool', received, expected: `one of ${names.join(', ')}` }])
}

/** Where a test has put something else in the place of a pool. */
function withTransactions(of: string, pool: BoundPool): BoundPool {
  if (typeof (pool as Partial<BoundPool>).transaction === 'function') return pool
  throw new InvalidOptionsError(of, [
    { option: 'pool', received: 'something without transaction()', expected: 'a pool of Leasehold' },
  ])
}
