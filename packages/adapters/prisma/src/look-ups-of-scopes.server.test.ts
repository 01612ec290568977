import { currentScope, runInScope } from '@leasehold/core'
import type { LeasedPgPool } from '@leasehold/pg'
import { Gate } from '@leasehold/testkit'
import { PrismaPg } from '@prisma/adapter-pg'
import { createPgPool } from '@leasehold/pg'
import { expect, test } from 'vitest'
import type { TestClient } from './testing/test-client.js'
import { usePrisma } from './testing/use-prisma.js'

const tests = usePrisma()

/** In whose name each statement was sent: a lone one takes a lease of its own. */
function labelsOf(pool: LeasedPgPool): string[] {
  const labels: string[] = []
  pool.leases.on('acquire', ({ label }) => labels.push(label))
  return labels
}

/** The requests of two tenants, each with a session that says whose it is, go on in the same tick. */
async function lookUpsOfTwoTenants(prisma: TestClient): Promise<unknown[]> {
  const gate = new Gate()
  let ready = 0
  const request = (tenant: string): Promise<unknown> =>
    runInScope({ label: tenant, mode: 'session' }, async () => {
      await prisma.$queryRaw`select set_config('app.tenant', ${tenant}, false)`
      ready += 1
      await gate.promise
      const { tenant: seen } = await prisma.session.findUniqueOrThrow({ where: { id: 1 } })
      return seen
    })
  const both = [request('a'), request('b')]
  await expect.poll(() => ready).toBe(2)
  gate.open()
  return Promise.all(both)
}

/** A thousand requests that wait for the same thing, a cache being filled or a token being fetched, and then look up. */
async function lookUpsOfAThousand(prisma: TestClient): Promise<void> {
  const gate = new Gate()
  const requests = Array.from({ length: 1_000 }, (_, at) =>
    runInScope({ label: `request ${at + 1}` }, async () => {
      await gate.promise
      const account = await prisma.account.findUnique({ where: { id: at + 1 } })
      expect(account?.owner).toBe(`owner of ${at + 1}`)
      expect(currentScope()?.label).toBe(`request ${at + 1}`)
    }),
  )
  gate.open()
  await Promise.all(requests)
}

/** For what happens without the cure: Prisma's own adapter on our pool, and nothing else of ours. */
async function withPlainAdapter(work: (prisma: TestClient, pool: LeasedPgPool) => Promise<void>): Promise<void> {
  const pool = createPgPool({ connectionString: tests.url, max: 4 })
  const prisma = new tests.PrismaClient({ adapter: new PrismaPg(pool) })
  try {
    await work(prisma, pool)
  } finally {
    await prisma.$disconnect()
    await pool.close({ deadlineMs: 0 })
  }
}

test('two tenants whose requests go on in one tick each read through their own session', async () => {
  const { prisma } = tests.open()
  expect(await lookUpsOfTwoTenants(prisma)).toEqual(['a', 'b'])
})

test('without it, one tenant is given what the other one reads', async () => {
  await withPlainAdapter(async (prisma) => {
    // Whichever comes to the gate first has its session used for both.
    const seen = await lookUpsOfTwoTenants(prisma)
    expect(seen[0]).toBe(seen[1])
  })
})

test('a thousand requests behind one shared promise each send their own look-up', async () => {
  const { pool, prisma } = tests.open()
  await prisma.$connect()
  const labels = labelsOf(pool)
  await lookUpsOfAThousand(prisma)
  expect(new Set(labels).size).toBe(1_000)
  expect(labels).toHaveLength(1_000)
})

test('without it, most of them are looked up in the name of another request', async () => {
  await withPlainAdapter(async (prisma, pool) => {
    await prisma.$connect()
    const labels = labelsOf(pool)
    await lookUpsOfAThousand(prisma)
    expect(new Set(labels).size).toBeLessThan(500)
  })
})

test('the look-ups of one scope are still one statement, as Prisma does it', async () => {
  const { pool, prisma } = tests.open()
  await prisma.$connect()
  const labels = labelsOf(pool)
  const lookUps = (label: string): Promise<unknown> =>
    runInScope({ label }, async () => {
      const ids = Array.from({ length: 20 }, (_, at) => at + 1)
      const found = await Promise.all(ids.map((id) => prisma.account.findUnique({ where: { id } })))
      expect(found.map((account) => account?.id)).toEqual(ids)
    })
  await Promise.all([lookUps('one'), lookUps('other')])
  expect(labels.sort()).toEqual(['one', 'other'])
})

test('transactions of several scopes read their own rows in one tick', async () => {
  const { prisma } = tests.open({ pool: { max: 3 } })
  const gate = new Gate()
  let ready = 0
  const transfer = (id: number): Promise<unknown> =>
    runInScope({ label: `transfer ${id}` }, () =>
      prisma.$transaction(async (tx) => {
        await tx.account.update({ where: { id }, data: { balance: id * 1_000 } })
        ready += 1
        await gate.promise
        const [one, same] = await Promise.all([1, 2].map(() => tx.account.findUniqueOrThrow({ where: { id } })))
        return [one?.balance, same?.balance]
      }),
    )
  const all = [11, 12, 13].map((id) => transfer(id))
  await expect.poll(() => ready).toBe(3)
  gate.open()
  expect(await Promise.all(all)).toEqual([11, 12, 13].map((id) => [id * 1_000, id * 1_000]))
})

test('a lazy query runs in the scope that awaits it, also when the scope returns it', async () => {
  const { pool, prisma } = tests.open()
  const labels = labelsOf(pool)
  await runInScope({ label: 'returns it' }, () => prisma.account.findFirst())
  const made = prisma.account.findUnique({ where: { id: 1 } })
  await runInScope({ label: 'awaits it' }, async () => {
    await made
  })
  expect(labels).toEqual(['returns it', 'awaits it'])
})

test('what follows a query is in the scope of who asked, whoever opened the connection', async () => {
  const { prisma } = tests.open({ pool: { max: 1 } })
  const seen = (label: string): Promise<unknown> =>
    runInScope({ label }, async () => {
      const labels: unknown[] = []
      const note = (): void => void labels.push(currentScope()?.label)
      await prisma.account.findUnique({ where: { id: 1 } }).then(note)
      await prisma.$queryRaw`select pg_sleep(0.01)::text`.then(note)
      await prisma.$transaction(async (tx) => {
        note()
        await tx.account.findFirst().then(note)
      })
      await prisma.$transaction([prisma.account.count()]).then(note)
      note()
      return labels
    })
  const all = await Promise.all(['a', 'b', 'c'].map((label) => seen(label)))
  expect(all).toEqual(['a', 'b', 'c'].map((label) => Array.from({ length: 6 }, () => label)))
})

test('in session mode all of a scope runs on one connection, transactions too', async () => {
  const { prisma } = tests.open({ pool: { max: 4, leasehold: { mode: 'session' } } })
  const pids = await runInScope({ label: 'request' }, async () => {
    const pid = async (db: Pick<TestClient, '$queryRaw'>): Promise<number> => {
      const [row] = await db.$queryRaw<[{ pid: number }]>`select pg_backend_pid() as pid`
      return row.pid
    }
    const inside = await prisma.$transaction((tx) => pid(tx))
    return [inside, ...(await Promise.all(Array.from({ length: 6 }, () => pid(prisma))))]
  })
  expect(new Set(pids).size).toBe(1)
})
