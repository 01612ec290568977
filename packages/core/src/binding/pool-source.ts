import { PoolClosedError } from '../errors/pool-closed-error.js'
import type { CloseOptions } from '../options/check-close-options.js'
import type { TransactionOptions } from '../options/transaction-options.js'
import type { PoolSnapshot } from '../surface/snapshot.js'

/** What a binding asks of a core pool. `Pool` is one, whatever its client is. */
export interface BoundPool {
  readonly name: string
  ready(): Promise<void>
  snapshot(): PoolSnapshot
  transaction<R>(work: () => R | PromiseLike<R>, options?: TransactionOptions): Promise<Awaited<R>>
  close(options?: CloseOptions): Promise<void>
}

/** A core pool, or a driver's facade, which has one as `leases`. */
export type PoolSource = BoundPool | { readonly leases: BoundPool }

/** The core pool of what a binding was given. */
export function boundPoolOf(source: PoolSource): BoundPool {
  // `leases` first: a facade may have the methods of a pool too, and its own meaning of them.
  return 'leases' in source ? source.leases : source
}

/**
 * The core pools of what a binding was given, each once.
 *
 * @throws {PoolClosedError} for one that is closing or closed.
 */
export function boundPoolsOf(sources: Iterable<PoolSource>): readonly BoundPool[] {
  const pools = new Set<BoundPool>()
  for (const source of sources) {
    const pool = boundPoolOf(source)
    const { state } = pool.snapshot()
    if (state === 'closing' || state === 'closed') throw new PoolClosedError(pool.name)
    pools.add(pool)
  }
  return [...pools]
}
