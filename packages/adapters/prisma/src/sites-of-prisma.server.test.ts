import { runInScope } from '@leasehold/core'
import { expect, test } from 'vitest'
import type { OpenedPrisma } from './testing/use-prisma.js'
import type { TestClient } from './testing/test-client.js'
import { usePrisma } from './testing/use-prisma.js'

const tests = usePrisma()

type Work = (prisma: TestClient) => PromiseLike<unknown>

const WORK: Record<string, Work> = {
  'a query': (prisma) => prisma.account.count(),
  'a look-up': (prisma) => prisma.account.findUnique({ where: { id: 1 } }),
  'a nested write': (prisma) => prisma.account.update({ where: { id: 1 }, data: { orders: { create: note() } } }),
  'a raw query': (prisma) => prisma.$queryRaw`select 1`,
  'a raw statement': (prisma) => prisma.$executeRaw`select 1`,
  'a transaction': (prisma) => prisma.$transaction((tx) => Promise.resolve(tx.account.count())),
  'a batch': (prisma) => prisma.$transaction([prisma.account.count(), prisma.account.count()]),
  'a query of an extended client': (prisma) =>
    prisma
      .$extends({
        query: { $allOperations: ({ args, query }: { args: object; query: (args: object) => unknown }) => query(args) },
      })
      .account.count(),
}

let last = 0
const note = (): { readonly note: string } => ({ note: `note ${(last += 1)}` })

const HERE: unknown = expect.stringMatching(/sites-of-prisma\.server\.test\.ts:\d+/)

type CaptureSites = 'always' | 'adaptive' | 'off'
const open = (captureSites: CaptureSites, max = 3): OpenedPrisma =>
  tests.open({ pool: { max, leasehold: { captureSites } } })

/** Where the leases come from while `work` runs. */
async function sitesOf({ pool }: OpenedPrisma, work: () => PromiseLike<unknown>): Promise<unknown[]> {
  const sites: unknown[] = []
  const off = pool.leases.on('acquire', () => void sites.push(pool.snapshot().holders.at(-1)?.site))
  await work()
  off()
  return sites
}

test.each(Object.entries(WORK))(
  'the holder of %s is named by the line that made it, though Prisma acquires from within its engine',
  async (_what, work) => {
    const opened = open('always')
    expect(await sitesOf(opened, () => work(opened.prisma))).toEqual([HERE])
  },
)

test('look-ups of several requests in one tick are named each by its own line', async () => {
  const opened = open('always')
  const first = (): unknown => opened.prisma.account.findUnique({ where: { id: 1 } })
  const second = (): unknown => opened.prisma.account.findUnique({ where: { id: 2 } })
  const sites = await sitesOf(opened, () =>
    Promise.all([runInScope({ label: 'one' }, first), runInScope({ label: 'two' }, second)]),
  )
  expect(new Set(sites)).toEqual(
    new Set([
      expect.stringMatching(/at first \(.*sites-of-prisma/),
      expect.stringMatching(/at second \(.*sites-of-prisma/),
    ]),
  )
})

test('what the callback of a transaction asks for besides is named by its own line, and not by that of the transaction', async () => {
  const opened = open('always')
  const inside = (): PromiseLike<unknown> => opened.prisma.account.count()
  const sites = await sitesOf(opened, () =>
    opened.prisma.$transaction(async (tx) => {
      await tx.account.count()
      await inside()
    }),
  )
  expect(sites).toEqual([
    expect.not.stringMatching(/at inside/),
    expect.stringMatching(/at inside \(.*sites-of-prisma/),
  ])
})

test('of many queries a sample is named, and the others have no line of somebody else', async () => {
  const opened = open('adaptive', 10)
  const sites = new Set<unknown>()
  for (let query = 0; query < 128; query += 1) {
    for (const site of await sitesOf(opened, () => opened.prisma.account.count())) sites.add(site)
  }
  expect(sites).toEqual(new Set([undefined, HERE]))
})

test('a query whose label has leaked is named from then on', async () => {
  const opened = open('adaptive', 10)
  const { pool, prisma } = opened
  await runInScope({ label: 'leaves' }, async () => {
    void prisma.$transaction(() => new Promise(() => {}), { timeout: 60_000 }).catch(() => {})
    await expect.poll(() => pool.snapshot().connections.lent).toBe(1)
  })
  const named = await sitesOf(opened, () => runInScope({ label: 'leaves' }, async () => prisma.account.count()))
  expect(named).toEqual([HERE])
})

test('where no sites are wanted, Prisma makes its promises itself', async () => {
  const opened = open('off')
  expect(await sitesOf(opened, () => opened.prisma.account.count())).toEqual([undefined])
})
