import { runInScope } from '@leasehold/core'
import { createPgPool, type LeasedPgPool } from '@leasehold/pg'
import { expect, test } from 'vitest'
import { createPrismaAdapter } from './create-prisma-adapter.js'
import { leasePrisma } from './lease-prisma.js'
import { usePrisma } from './testing/use-prisma.js'

const tests = usePrisma()

test('a service that is a PrismaClient itself, as Nest has it, leases itself in its constructor', async () => {
  class PrismaService extends tests.PrismaClient {
    constructor(pool: LeasedPgPool) {
      super({ adapter: createPrismaAdapter(pool) })
      leasePrisma(this, pool)
    }

    async ownerOf(id: number): Promise<string | undefined> {
      const account = await this.account.findUnique({ where: { id } })
      return account?.owner
    }
  }
  const pool = createPgPool({ connectionString: tests.url, max: 2 })
  const service = new PrismaService(pool)
  await service.$connect()
  // A client that is not leased is refused here.
  await runInScope({ label: 'a request', mode: 'session' }, async () => {
    expect(await service.ownerOf(7)).toBe('owner of 7')
  })
  const failed = service.$transaction(async (transaction) => {
    await transaction.account.update({ where: { id: 7 }, data: { owner: 'somebody else' } })
    throw new Error('no')
  })
  await expect(failed).rejects.toThrow('no')
  await pool.transaction(async () => {
    await service.account.update({ where: { id: 7 }, data: { owner: 'a new owner' } })
    await service.$transaction(async (transaction) => transaction.account.count())
  })
  expect(await service.ownerOf(7)).toBe('a new owner')
  await service.$disconnect()
  expect(pool.snapshot().holders).toEqual([])
  await pool.end()
})
