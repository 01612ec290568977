import { InvalidOptionsError } from '@leasehold/core'

/**
 * Refuses an adapter of the time when Prisma's adapters stood on a pool of their caller's: it would only say that it was
 * given none. Those in between are found out when they connect.
 *
 * @throws {InvalidOptionsError} saying which is needed.
 */
export function checkAdapterVersion(PrismaPg: { readonly prototype: object }): void {
  if ('connect' in PrismaPg.prototype) return
  throw new InvalidOptionsError('@prisma/adapter-pg ≥ 6.19.3 needed: createPrismaAdapter', [
    { option: '@prisma/adapter-pg', expected: 'version 6.19.3 or later, before 8', received: 'an older one' },
  ])
}
