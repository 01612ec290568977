import { AcquireTimeoutError, detached, findLeaseholdError, runInScope } from '@leasehold/core'
import { createPgPool } from '@leasehold/pg'
import { freePort } from '@leasehold/testkit/postgres'
import { PrismaPg } from '@prisma/adapter-pg'
import { expect, test, vi } from 'vitest'
import { createPrismaAdapter } from './create-prisma-adapter.js'
import { leasePrisma } from './lease-prisma.js'
import type { TestClient } from './testing/test-client.js'
import { usePrisma } from './testing/use-prisma.js'

const tests = usePrisma()

const failureOf = (work: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(work).then(
    () => undefined,
    (error: unknown) => error,
  )

/** All the ways in which Prisma asks for a connection. */
const asks: ReadonlyArray<readonly [string, (prisma: TestClient) => PromiseLike<unknown>]> = [
  ['a query', (prisma) => prisma.account.count()],
  ['a look-up', (prisma) => prisma.account.findUnique({ where: { id: 1 } })],
  [
    'look-ups that are merged',
    (prisma) => Promise.all([1, 2].map((id) => prisma.account.findUnique({ where: { id } }))),
  ],
  ['a raw query', (prisma) => prisma.$queryRaw`select 1`],
  ['a transaction', (prisma) => prisma.$transaction((tx) => Promise.resolve(tx.account.count()))],
  ['a batch', (prisma) => prisma.$transaction([prisma.account.count(), prisma.account.count()])],
]

test.each(asks)('%s that waits in vain fails with the error of the pool itself', async (_, ask) => {
  const { pool, prisma } = tests.open({ pool: { max: 1, leasehold: { acquireTimeoutMs: 50 } } })
  await using held = await pool.acquire({ label: 'report', timeoutMs: 10_000 })
  const error = await failureOf(ask(prisma))
  expect(error).toBeInstanceOf(AcquireTimeoutError)
  expect(error).toMatchObject({ statusCode: 503, holders: [{ label: 'report' }] })
  held.release()
})

test.each(asks)('without leasePrisma, that of %s is found in what Prisma throws', async (_, ask) => {
  const { pool, prisma } = tests.open({ pool: { max: 1, leasehold: { acquireTimeoutMs: 50 } }, leased: false })
  await using held = await pool.acquire({ label: 'report', timeoutMs: 10_000 })
  expect(findLeaseholdError(await failureOf(ask(prisma)))).toBeInstanceOf(AcquireTimeoutError)
  held.release()
})

test.each(asks)('%s without a server fails as Prisma says it, and ours is found in it', async (_, ask) => {
  const pool = createPgPool({ host: '127.0.0.1', port: await freePort(), user: 'nobody' })
  const prisma = leasePrisma(new tests.PrismaClient({ adapter: createPrismaAdapter(pool) }), pool)
  const error = await failureOf(ask(prisma))
  expect(error).toMatchObject({
    name: 'PrismaClientKnownRequestError',
    message: expect.stringMatching(/Can't reach database server/),
  })
  expect(findLeaseholdError(error)).toMatchObject({ code: 'LEASEHOLD_CONNECT_FAILED', statusCode: 503 })
  await prisma.$disconnect()
  await pool.end()
})

test.each(asks)('%s on a closed pool says that it is closed', async (_, ask) => {
  const { pool, prisma } = tests.open()
  await pool.end()
  expect(await failureOf(ask(prisma))).toMatchObject({ code: 'LEASEHOLD_POOL_CLOSED', pool: pool.leases.options.name })
})

test('in statement mode a transaction is refused', async () => {
  const { prisma } = tests.open({ pool: { leasehold: { mode: 'statement' } } })
  await expect(runInScope({ label: 'request' }, () => prisma.$transaction(async () => {}))).rejects.toMatchObject({
    code: 'LEASEHOLD_MODE_VIOLATION',
  })
  const orders = { create: [{ note: 'in two statements' }] }
  await expect(
    runInScope({ label: 'request' }, () => prisma.account.create({ data: { id: 5_001, owner: 'new', orders } })),
  ).rejects.toMatchObject({ code: 'LEASEHOLD_MODE_VIOLATION' })
  expect(await runInScope({ label: 'request' }, () => prisma.account.count())).toBeGreaterThan(0)
})

test.each(asks)('%s of a client that is not leased is refused in session mode', async (_, ask) => {
  const { prisma } = tests.open({ leased: false })
  const error = await failureOf(runInScope({ label: 'request', mode: 'session' }, () => ask(prisma)))
  const ours = findLeaseholdError(error)
  expect(ours).toMatchObject({ code: 'LEASEHOLD_MODE_VIOLATION' })
  expect(ours?.remedy).toContain('leasePrisma(client, pool)')
})

test.each(asks)('%s of a client that is not leased is refused in a transaction that it would join', async (_, ask) => {
  const { pool, prisma } = tests.open({ leased: false })
  const error = await failureOf(pool.transaction(() => ask(prisma)))
  expect(findLeaseholdError(error)).toMatchObject({ code: 'LEASEHOLD_MODE_VIOLATION', phase: 'transaction' })
  expect(await pool.transaction(() => detached(() => prisma.account.count()))).toBeGreaterThan(0)
  const alone = tests.open({ leased: false, pool: { leasehold: { joinTransactions: 'off' } } })
  expect(await alone.pool.transaction(() => alone.prisma.account.count())).toBeGreaterThan(0)
})

test('an observing pool refuses no client', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  const { prisma } = tests.open({ leased: false, pool: { leasehold: { observe: true } } })
  const counted = runInScope({ label: 'request', mode: 'session' }, () => prisma.account.count())
  expect(await counted).toBeGreaterThan(0)
  expect(warn).toHaveBeenCalledOnce()
  warn.mockRestore()
})

test('a client that is not leased is warned of once, when a scope uses it', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  const { prisma } = tests.open({ leased: false })
  const leased = tests.open()
  await prisma.account.count()
  await runInScope({ label: 'request' }, () => leased.prisma.account.count())
  expect(warn).not.toHaveBeenCalled()
  await runInScope({ label: 'request' }, () => prisma.account.count())
  await runInScope({ label: 'request' }, () => prisma.account.count())
  expect(warn.mock.calls).toEqual([
    [expect.stringContaining('leasePrisma'), expect.objectContaining({ code: 'LEASEHOLD_PRISMA_NOT_LEASED' })],
  ])
  warn.mockRestore()
})

test('a client of another pool, or of an adapter that is none of ours, is refused', async () => {
  const { pool, prisma } = tests.open({ pool: { leasehold: { name: 'first' } }, leased: false })
  const other = createPgPool({ connectionString: tests.url, leasehold: { name: 'second' } })
  expect(() => leasePrisma(prisma, other)).toThrow(
    'the pool that the client stands on, "first", received pool "second"',
  )
  const plain = new tests.PrismaClient({ adapter: new PrismaPg(pool) })
  expect(() => leasePrisma(plain, pool)).toThrow(
    'a PrismaClient made with { adapter: createPrismaAdapter(pool) }, received one with an adapter of @prisma/adapter-pg that is none of ours',
  )
  await other.end()
})

test('a closed pool takes no client', async () => {
  const { pool, prisma } = tests.open({ leased: false })
  await pool.end()
  const closed = expect.objectContaining({ code: 'LEASEHOLD_POOL_CLOSED' })
  expect(() => leasePrisma(prisma, pool)).toThrow(closed)
  expect(() => createPrismaAdapter(pool)).toThrow(closed)
})
