import type { LeasedPgPool } from '@leasehold/pg'
import type { PrismaPg } from '@prisma/adapter-pg'
import { describe, expectTypeOf, it } from 'vitest'
import { createPrismaAdapter, leasePrisma } from './index.js'

declare const pool: LeasedPgPool

// What is wrong here is found by `tsc`: nothing of it has to run. What a generated client infers is in
// `types.server.test.ts`, since it must be generated first.
describe('in TypeScript', () => {
  it('createPrismaAdapter gives Prisma’s own adapter, and takes its options but for those of its pool', () => {
    expectTypeOf(createPrismaAdapter).returns.toEqualTypeOf<PrismaPg>()
    expectTypeOf(createPrismaAdapter).parameter(0).toEqualTypeOf<LeasedPgPool>()
    expectTypeOf(() => createPrismaAdapter(pool, { schema: 'app' })).returns.toEqualTypeOf<PrismaPg>()
    const refused = () => [
      // @ts-expect-error -- no pool of ours
      createPrismaAdapter({ connectionString: 'postgres://host/db' }),
      // @ts-expect-error -- the pool is shared
      createPrismaAdapter(pool, { disposeExternalPool: true }),
    ]
    expectTypeOf(refused).toBeFunction()
  })

  it('leasePrisma gives back the very type of client that it is given, extended or not', () => {
    interface Extended {
      $connect(): Promise<void>
      $disconnect(): Promise<void>
      readonly account: { richest(): 1 }
    }
    const lease = (client: Extended) => leasePrisma(client, pool)
    expectTypeOf(lease).returns.toEqualTypeOf<Extended>()
    const refused = (client: Extended) => [
      // @ts-expect-error -- not a client
      leasePrisma({}, pool),
      // @ts-expect-error -- no pool
      leasePrisma(client),
    ]
    expectTypeOf(refused).toBeFunction()
  })
})
