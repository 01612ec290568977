import { checkFunction } from '../options/check-function.js'
import { poolOf } from './pool-of.js'

/** What is asked of a pool. `Pool` is one, whatever its client is. */
export interface RehearsingPool {
  rehearse<R>(work: () => R | PromiseLike<R>): Promise<Awaited<R>>
}

/** A core pool, or a driver's facade, which has one as `leases`. */
export type RehearsalSource = RehearsingPool | { readonly leases: RehearsingPool }

/**
 * Runs a test in one transaction, and rolls it back: `await withRollback(pool, async () => { … })`. Everything that asks the pool
 * for a connection meanwhile is part of it: Knex, Drizzle, Prisma and pg, in the test or in a request that it sends to a
 * server in this process, injected or over a socket. So nothing else may use the pool at that time.
 *
 * Transactions inside become savepoints, whatever their propagation and isolation; a lone statement that fails is undone by
 * itself. `afterCommit` hooks are never called, as nothing is committed; `afterRollback` hooks only for what was itself rolled
 * back. Leases with `hold: 'long'` have connections of their own. Settings that requests declare must be declared around
 * `withRollback` as well, since there is one session.
 *
 * @returns what `test` returns, when it has been rolled back.
 * @throws what `test` throws; the pool is then as it was before, too.
 * @throws {TransactionConflictError} when another one runs on the pool.
 * @throws {InvalidOptionsError} for what is no pool of ours, and no test.
 */
export async function withRollback<R>(source: RehearsalSource, test: () => R | PromiseLike<R>): Promise<Awaited<R>> {
  const pool = poolOf('withRollback', source, ['rehearse'])
  checkFunction('withRollback', 'test', test)
  return await pool.rehearse(test)
}
