import { findLeaseholdError, runInScope } from '@leasehold/core'
import { hangUpDuring } from '@leasehold/testkit/postgres'
import { expect, test } from 'vitest'
import type { TestClient } from './testing/test-client.js'
import { usePrisma } from './testing/use-prisma.js'

const tests = usePrisma()

const nap = (of: Pick<TestClient, '$executeRaw'>): PromiseLike<unknown> => of.$executeRaw`select pg_sleep(20)`

test.each([true, false])(
  'a statement of a client that has gone is cancelled, and our error is in its failure (leased: %s)',
  async (leased) => {
    const { pool, prisma } = tests.open({ pool: { max: 1 }, leased })
    await prisma.account.count()

    const { error } = await hangUpDuring(pool, () => nap(prisma))

    expect(findLeaseholdError(error)).toMatchObject({ code: 'LEASEHOLD_ABORTED', why: 'closed' })
    expect(await prisma.account.count()).toBe(1_000)
    expect(pool.snapshot().counts.opened).toBe(1)
  },
)

test.each([true, false])('its transaction is rolled back (leased: %s)', async (leased) => {
  const { pool, prisma } = tests.open({ pool: { max: 1 }, leased })
  await prisma.account.count()

  const { error } = await hangUpDuring(pool, () =>
    prisma.$transaction(
      async (tx) => {
        await tx.account.update({ where: { id: 1 }, data: { balance: 0 } })
        await nap(tx)
      },
      { timeout: 20_000 },
    ),
  )

  expect(findLeaseholdError(error)).toMatchObject({ code: 'LEASEHOLD_ABORTED', inTransaction: true })
  expect(await prisma.account.findFirst({ where: { id: 1 } })).toMatchObject({ balance: 100 })
  expect(pool.snapshot().counts).toMatchObject({ opened: 1, leaks: { 'left-over': 0 } })
})

test('a deadline and queryTimeoutMs end it as well', async () => {
  const { prisma } = tests.open({ pool: { max: 2, leasehold: { queryTimeoutMs: 600 } } })
  await prisma.account.count()

  const late = runInScope<unknown>({ label: 'late', deadlineMs: 400 }, () => nap(prisma)).catch(
    (error: unknown) => error,
  )
  expect(findLeaseholdError(await late)).toMatchObject({ why: 'deadline', statusCode: 503 })
  const long = Promise.resolve(nap(prisma)).catch((error: unknown) => error)
  expect(findLeaseholdError(await long)).toMatchObject({ why: 'query-timeout' })
})
