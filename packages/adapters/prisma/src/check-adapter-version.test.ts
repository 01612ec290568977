import { findLeaseholdError } from '@leasehold/core'
import { createPgPool } from '@leasehold/pg'
import { PrismaPg } from '@prisma/adapter-pg'
import { PrismaPg as PrismaPg65 } from '@prisma/adapter-pg-6.5'
import { afterEach, expect, test, vi } from 'vitest'
import { checkAdapterVersion } from './check-adapter-version.js'

const needed = '@prisma/adapter-pg: expected version 6.19.3 or later, before 8, received an older one'

afterEach(() => {
  vi.doUnmock('@prisma/adapter-pg')
  vi.resetModules()
})

/** What `createPrismaAdapter` is where another version of Prisma's adapter is installed. */
async function createAdapterOn(version: '6.5' | '6.6'): Promise<(pool: object) => { connect(): Promise<unknown> }> {
  vi.doMock('@prisma/adapter-pg', () =>
    version === '6.5' ? import('@prisma/adapter-pg-6.5') : import('@prisma/adapter-pg-6.6'),
  )
  const { createPrismaAdapter } = await import('./create-prisma-adapter.js')
  return createPrismaAdapter as never
}

test('an adapter before 6.6 is refused, with the version that is needed', async () => {
  expect(() => checkAdapterVersion(PrismaPg65)).toThrow(needed)
  expect(() => checkAdapterVersion(PrismaPg)).not.toThrow()
  const create = await createAdapterOn('6.5')
  expect(() => create(createPgPool())).toThrow(
    expect.objectContaining({ code: 'LEASEHOLD_INVALID_OPTIONS', message: expect.stringContaining(needed) as string }),
  )
})

test('a later one that is still too old is refused when it connects', async () => {
  const create = await createAdapterOn('6.6')
  const refused: unknown = await create(createPgPool())
    .connect()
    .catch((error: unknown) => error)
  expect(findLeaseholdError(refused)).toMatchObject({
    code: 'LEASEHOLD_INVALID_OPTIONS',
    message: expect.stringContaining(needed) as string,
  })
})
