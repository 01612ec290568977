import type { PoolSource } from '@leasehold/core'

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
