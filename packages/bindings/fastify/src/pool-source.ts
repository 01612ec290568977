import type { CloseOptions, PoolSnapshot } from '@leasehold/core'

/** What this binding asks of a core pool. `Pool` of `@leasehold/core` is one, whatever its client is. */
export interface BoundPool {
  readonly name: string
  ready(): Promise<void>
  snapshot(): PoolSnapshot
  close(options?: CloseOptions): Promise<void>
}

/** A core pool, or a driver's facade, which has one as `leases`. */
export type PoolSource = BoundPool | { readonly leases: BoundPool }

/**
 * The pools of a service by their names, for TypeScript. Declare your own to have `fastify.leasehold.pools` typed:
 *
 *     declare module '@leasehold/fastify' {
 *       interface LeaseholdPools { main: LeasedPgPool; reports: LeasedPgPool }
 *     }
 */
// oxlint-disable-next-line typescript/no-empty-interface, typescript/no-empty-object-type -- made to be merged with
export interface LeaseholdPools {}

/** What `fastify.leasehold.pools` is: the pools as they were registered; the only one is called `main`. */
export type RegisteredPools = keyof LeaseholdPools extends never ? Readonly<Record<string, PoolSource>> : LeaseholdPools

/** The core pool of what was registered. */
export function boundPoolOf(source: PoolSource): BoundPool {
  // `leases` first: a facade may have the methods of a pool too, and its own meaning of them.
  return 'leases' in source ? source.leases : source
}
