import { runInScope } from '@leasehold/core'
import { expect, test } from 'vitest'
import { usePrisma } from './testing/use-prisma.js'

const tests = usePrisma()
const as = <R>(tenant: string, work: () => PromiseLike<R>): Promise<Awaited<R>> =>
  runInScope({ label: tenant, settings: { 'app.tenant': tenant } }, work)

test('look-ups by key of two tenants in one tick see the settings of their own', async () => {
  const { prisma } = tests.open({ pool: { max: 2 } })
  const whose = () => prisma.session.findUniqueOrThrow({ where: { id: 1 } })

  const seen = await Promise.all(['a', 'b', 'c'].map((tenant) => as(tenant, whose)))

  expect(seen.map(({ tenant }) => tenant)).toEqual(['a', 'b', 'c'])
  expect((await whose()).tenant ?? '').toBe('')
})

test('transactions, batches and raw statements have them too', async () => {
  const { prisma } = tests.open({ pool: { max: 1 } })
  const whose = { where: { id: 1 } }

  const seen = await as('a', async () => [
    await prisma.$transaction(async (tx) => await tx.session.findUnique(whose)),
    ...(await prisma.$transaction([prisma.session.findUnique(whose), prisma.session.findUnique(whose)])),
    ...(await prisma.$queryRaw<object[]>`select current_setting('app.tenant') as tenant`),
  ])

  expect(seen).toEqual(Array(4).fill(expect.objectContaining({ tenant: 'a' })))
})

test('a setting that fails is told in an error of ours', async () => {
  const { prisma } = tests.open()

  const failed = runInScope({ label: 'bad', settings: { role: 'nobody_like_it' } }, () => prisma.account.count())

  await expect(failed).rejects.toMatchObject({ code: 'LEASEHOLD_SETTINGS_FAILED', settings: ['role'] })
})

test('a client that is not leased is refused in a scope that declares settings', async () => {
  const { prisma } = tests.open({ leased: false })

  await expect(as('a', () => prisma.account.count())).rejects.toMatchObject({
    message: expect.stringContaining('leasePrisma(client, pool)') as string,
  })
})

test('on a pool that requires settings a client can be connected ahead of them, and asks nothing without them', async () => {
  const { prisma } = tests.open({ pool: { leasehold: { requireSettings: ['app.tenant'] } } })

  await prisma.$connect()

  await expect(prisma.account.count()).rejects.toMatchObject({ code: 'LEASEHOLD_SETTING_REQUIRED' })
  expect((await as('a', () => prisma.session.findUniqueOrThrow({ where: { id: 1 } }))).tenant).toBe('a')
})
