import { type AcquireTimeoutError, openScope, runInScope } from '@leasehold/core'
import { Gate } from '@leasehold/testkit'
import { expect, test } from 'vitest'
import { createPrismaAdapter } from './create-prisma-adapter.js'
import { leasePrisma } from './lease-prisma.js'
import type { TestClient } from './testing/test-client.js'
import { usePrisma } from './testing/use-prisma.js'

const tests = usePrisma()

const increment = (id: number, by: number): object => ({ where: { id }, data: { balance: { increment: by } } })
/** A nested write, which Prisma makes a transaction of: two notes cannot be the same. */
const pays = (id: number, note: string): object => ({
  where: { id },
  data: { balance: { increment: 5 }, orders: { create: { note } } },
})

async function balancesOf(prisma: TestClient, ...ids: number[]): Promise<number[]> {
  const accounts = await prisma.account.findMany({ where: { id: { in: ids } }, orderBy: { id: 'asc' } })
  return accounts.map(({ balance }) => balance)
}

test('interactive and batch transactions commit and roll back', async () => {
  const { prisma } = tests.open()
  await prisma.$transaction(async (tx) => {
    await tx.account.update(increment(21, 5))
    await tx.account.update(increment(22, 5))
  })
  const failed = prisma.$transaction(async (tx) => {
    await tx.account.update(increment(21, 5))
    throw new Error('all of it')
  })
  await expect(failed).rejects.toThrow('all of it')
  expect(await balancesOf(prisma, 21, 22)).toEqual([105, 105])

  const batch = [prisma.account.update(increment(23, 1)), prisma.account.findFirst({ where: { id: 23 } })]
  expect(await prisma.$transaction(batch)).toMatchObject([{ balance: 101 }, { balance: 101 }])
  const duplicate = prisma.account.create({ data: { id: 1, owner: 'is there already' } })
  await expect(prisma.$transaction([prisma.account.update(increment(24, 1)), duplicate])).rejects.toMatchObject({
    code: 'P2002',
  })
  expect(await balancesOf(prisma, 24)).toEqual([100])
})

test('nested transactions commit and roll back on their own (Prisma 7)', async () => {
  const { prisma } = tests.open()
  await prisma.$transaction(async (tx) => {
    await tx.account.update(increment(1, 5))
    await tx.$transaction((inner) => Promise.resolve(inner.account.update(increment(2, 5))))
    const failed = tx.$transaction(async (inner) => {
      await inner.account.update(increment(3, 5))
      throw new Error('inner only')
    })
    await expect(failed).rejects.toThrow('inner only')
  })
  expect(await balancesOf(prisma, 1, 2, 3)).toEqual([105, 105, 100])
})

test('the parts of a batch stay one transaction', async () => {
  const { prisma } = tests.open()
  await runInScope({ label: 'request' }, async () => {
    const ids = () => prisma.$queryRaw<[{ id: string }]>`select pg_current_xact_id()::text as id`
    const parts = (await prisma.$transaction([ids(), ids()])) as Array<[{ id: string }]>
    expect(parts[0]?.[0].id).toBe(parts[1]?.[0].id)
    const lookUps = [6, 7].map((id) => prisma.account.findUnique({ where: { id } }))
    const isolated = await prisma.$transaction(lookUps, { isolationLevel: 'Serializable' })
    expect(isolated).toMatchObject([{ id: 6 }, { id: 7 }])
  })
})

test('they do so even if an extension runs each part in a scope of its own', async () => {
  const { prisma } = tests.open()
  type Query = { readonly args: unknown; readonly query: (args: unknown) => Promise<unknown> }
  const extended = prisma.$extends({
    query: { $allOperations: ({ args, query }: Query) => runInScope({ label: 'part' }, () => query(args)) },
  })
  const ids = (): PromiseLike<[{ id: string }]> => extended.$queryRaw`select pg_current_xact_id()::text as id`
  const [[one], [other]] = (await extended.$transaction([ids(), ids()])) as [[{ id: string }], [{ id: string }]]
  expect(one).toEqual(other)
})

test('a nested write is one transaction, and its isolation level is the one asked for', async () => {
  const { prisma } = tests.open()
  const orders = { create: [{ note: 'first' }, { note: 'second' }] }
  await prisma.account.create({ data: { id: 2_001, owner: 'new', orders } })
  const doubled = { create: [{ note: 'third' }, { note: 'first' }] }
  await expect(
    Promise.resolve(prisma.account.create({ data: { id: 2_002, owner: 'new', orders: doubled } })),
  ).rejects.toMatchObject({ code: 'P2002' })
  expect(await prisma.account.findUnique({ where: { id: 2_002 } })).toBeNull()
  const level = await prisma.$transaction((tx) => Promise.resolve(tx.$queryRaw`show transaction_isolation`), {
    isolationLevel: 'Serializable',
  })
  expect(level).toEqual([{ transaction_isolation: 'serializable' }])
})

test('a transaction that waits in vain tells who holds the connections, and leaves nobody in the queue', async () => {
  const { pool, prisma } = tests.open({ pool: { max: 1 }, client: { transactionOptions: { maxWait: 300 } } })
  const work = new Gate()
  const inTransaction = new Gate()
  const holding = runInScope({ label: 'report' }, () =>
    prisma.$transaction(async () => {
      inTransaction.open()
      await work.promise
    }),
  )
  await inTransaction.promise
  const waitsInVain = { code: 'LEASEHOLD_ACQUIRE_TIMEOUT', holders: [{ label: 'report' }] }
  // Ours, and not Prisma's P2028: the pool gives up first.
  const failureOf = (transaction: Promise<unknown>): Promise<unknown> => transaction.catch((error: unknown) => error)
  expect(await failureOf(prisma.$transaction(async () => {}))).toMatchObject(waitsInVain)
  const batch = [prisma.account.count(), prisma.account.count()]
  expect(await failureOf(prisma.$transaction(batch))).toMatchObject(waitsInVain)
  // What the call says counts more.
  const patient = await failureOf(prisma.$transaction(async () => {}, { maxWait: 600 }))
  expect(patient).toMatchObject(waitsInVain)
  expect((patient as AcquireTimeoutError).waitedMs).toBeGreaterThan(500)

  expect(pool.snapshot().waiting.count).toBe(0)
  const { granted } = pool.snapshot().counts
  work.open()
  await holding
  expect(await prisma.account.count()).toBeGreaterThan(0)
  expect(pool.snapshot().counts.granted).toBe(granted + 1)
})

test('without leasePrisma the longest that Prisma waits by default is the bound', async () => {
  const { pool, prisma } = tests.open({ pool: { max: 1 }, leased: false })
  const held = await pool.connect()
  const failed = await prisma.$transaction(async () => {}).catch((error: unknown) => error)
  expect(failed).toMatchObject({ cause: { code: 'LEASEHOLD_ACQUIRE_TIMEOUT' } })
  expect(pool.snapshot().waiting.count).toBe(0)
  held.release()
})

test('a nested write waits as long as the pool says: Prisma does not limit it', async () => {
  const { pool, prisma } = tests.open({
    pool: { max: 1, connectionTimeoutMillis: 15_000 },
    client: { transactionOptions: { maxWait: 50 } },
  })
  const held = await pool.connect()
  const orders = { create: [{ note: 'patient' }] }
  const created = Promise.resolve(prisma.account.create({ data: { id: 2_003, owner: 'new', orders } }))
  // Longer than Prisma waits where it does, and than its default.
  await expect.poll(() => pool.snapshot().waiting.oldestMs, { timeout: 10_000 }).toBeGreaterThan(2_000)
  held.release()
  expect(await created).toMatchObject({ id: 2_003 })
})

test('a scope that ends takes an open transaction back, and its rows are gone', async () => {
  const { pool, prisma } = tests.open()
  const scope = openScope({ label: 'left the transaction open' })
  const inTransaction = new Gate()
  const afterwards = new Gate()
  const transaction = scope.run(() =>
    prisma.$transaction(async (tx) => {
      await tx.account.create({ data: { id: 3_001, owner: 'never seen' } })
      inTransaction.open()
      await afterwards.promise
      await tx.account.create({ data: { id: 3_002, owner: 'never seen' } })
    }),
  )
  const outcome = expect(transaction).rejects.toMatchObject({ code: 'LEASEHOLD_LEASE_RELEASED' })
  await inTransaction.promise
  await scope.close()
  expect(pool.snapshot().holders).toEqual([])
  afterwards.open()
  await outcome
  expect(await prisma.account.findMany({ where: { owner: 'never seen' } })).toEqual([])
})

test('a scope that ends sends its waiting queries away', async () => {
  const { pool, prisma } = tests.open({ pool: { max: 1 } })
  const held = await pool.connect()
  const scope = openScope({ label: 'gone' })
  const waiting = scope.run(() => [
    Promise.resolve(prisma.account.findUnique({ where: { id: 1 } })),
    Promise.resolve(prisma.account.count()),
    prisma.$transaction(async () => {}),
  ])
  const outcomes = Promise.allSettled<unknown>(waiting)
  await expect.poll(() => pool.snapshot().waiting.count).toBe(3)
  await scope.close()
  for (const outcome of await outcomes) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'LEASEHOLD_SCOPE_CLOSED' } })
  }
  held.release()
})

test('a killed backend fails its transaction, and neither the process nor the next one', async () => {
  const { prisma } = tests.open()
  const killed = prisma.$transaction(async (tx) => {
    const [{ pid }] = await tx.$queryRaw<[{ pid: number }]>`select pg_backend_pid() as pid`
    await prisma.$queryRaw`select pg_terminate_backend(${pid}::int)`
    await tx.account.count()
  })
  await expect(killed).rejects.toBeInstanceOf(Error)
  expect(await prisma.account.count()).toBeGreaterThan(0)
})

test.each([undefined, 'pg-pool' as const])(
  'a transaction whose last word fails gives its connection back (compat: %s)',
  async (compat) => {
    const { pool, prisma } = tests.open({ pool: { leasehold: compat === undefined ? {} : { compat } } })
    await prisma.$executeRaw`drop table if exists parts`
    await prisma.$executeRaw`create table parts (id int primary key, whole int references parts deferrable initially deferred)`
    const dangling = prisma.$transaction((tx) => Promise.resolve(tx.$executeRaw`insert into parts values (1, 2)`))
    await expect(dangling).rejects.toMatchObject({ message: 'ForeignKeyConstraintViolation' })
    expect(pool.snapshot().holders).toEqual([])

    // As Prisma 6 leaves it: it hears that its ROLLBACK failed, and does no more.
    const adapter = await createPrismaAdapter(pool).connect()
    const transaction = await adapter.startTransaction()
    expect(pool.snapshot().holders).toHaveLength(1)
    const [pid] = (await transaction.queryRaw({ sql: 'select pg_backend_pid()', args: [], argTypes: [] })).rows[0] ?? []
    await prisma.$queryRaw`select pg_terminate_backend(${pid}::int)`
    await expect(transaction.executeRaw({ sql: 'ROLLBACK', args: [], argTypes: [] })).rejects.toBeInstanceOf(Error)
    expect(pool.snapshot().holders).toEqual([])
    await adapter.dispose()
  },
)

test.each(['before', 'after'] as const)(
  'a client that was extended %s it was leased joins as well, nested ones too',
  async (when) => {
    const { prisma, pool } = tests.open({ leased: when === 'after' })
    const plain = prisma.$extends({ name: 'nothing' })
    const extended = when === 'before' ? leasePrisma(plain, pool) : plain
    const failed = pool.transaction(async () => {
      await extended.$transaction(async (tx) => {
        await tx.account.update(increment(61, 5))
        // On the root object, and still part of it.
        await extended.account.update(increment(62, 5))
        await pool.query('update accounts set balance = balance + 5 where id = 63')
      })
      expect(await balancesOf(prisma, 61, 62, 63)).toEqual([105, 105, 105])
      const inner = extended.$transaction(async (tx) => {
        await tx.account.update(increment(61, 5))
        await pool.query('update accounts set balance = balance + 5 where id = 63')
        throw new Error('inner only')
      })
      await expect(inner).rejects.toThrow('inner only')
      expect(await balancesOf(prisma, 61, 62, 63)).toEqual([105, 105, 105])
      throw new Error('all of it')
    })
    await expect(failed).rejects.toThrow('all of it')
    expect(await balancesOf(prisma, 61, 62, 63)).toEqual([100, 100, 100])
  },
)

test('nested siblings take turns inside another transaction (Prisma 7), where Prisma alone refuses them', async () => {
  const { prisma, pool } = tests.open()
  await pool.transaction(() =>
    prisma.$transaction(async (tx) => {
      const failing = tx.$transaction(async (inner) => {
        await inner.account.update(increment(64, 5))
        throw new Error('this one')
      })
      const settled = await Promise.allSettled([
        failing,
        tx.$transaction(async (inner) => void (await inner.account.update(increment(65, 5)))),
      ])
      expect(settled.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
    }),
  )
  expect(await balancesOf(prisma, 64, 65)).toEqual([100, 105])
})

test('a transaction that waits for its turn does not use up its maxWait', async () => {
  const { prisma, pool } = tests.open()
  await pool.transaction(async () => {
    const slow = prisma.$transaction(async (tx) => void (await tx.$executeRaw`select pg_sleep(1)`))
    const next = prisma.$transaction((tx) => Promise.resolve(tx.account.update(increment(66, 5))), { maxWait: 500 })
    await Promise.all([slow, next])
  })
  expect(await balancesOf(prisma, 66)).toEqual([105])
})

test('nested writes and lists of queries that run side by side in a transaction take turns: one that fails undoes itself alone', async () => {
  const { pool, prisma } = tests.open()
  await prisma.$executeRaw`insert into orders (account_id, note) values (71, 'paid already')`
  const all = await pool.transaction(() =>
    Promise.allSettled([
      prisma.account.update(pays(71, 'paid by 71')),
      prisma.account.update(pays(72, 'paid already')),
      prisma.$transaction([prisma.account.update(increment(73, 5)), prisma.account.update(increment(73, 5))]),
      prisma.$transaction([
        prisma.account.update(increment(74, 5)),
        prisma.account.create({ data: { id: 1, owner: 'no' } }),
      ]),
      prisma.account.update(pays(75, 'paid by 75')),
    ]),
  )
  expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'])
  expect(await balancesOf(prisma, 71, 72, 73, 74, 75)).toEqual([105, 100, 110, 100, 105])
})

test('in a scope of mode session, nested writes, lists and transactions side by side run one after the other', async () => {
  const { prisma } = tests.open()
  await prisma.$executeRaw`insert into orders (account_id, note) values (81, 'taken')`
  const all = await runInScope({ label: 'GET /', mode: 'session' }, () =>
    Promise.allSettled([
      prisma.account.update(pays(82, 'taken')),
      prisma.account.update(pays(81, 'paid by 81')),
      prisma.$transaction(async (tx) => tx.account.update(increment(83, 5))),
      prisma.$transaction([
        prisma.account.update(increment(84, 5)),
        prisma.account.create({ data: { id: 1, owner: 'no' } }),
      ]),
      prisma.account.update(pays(85, 'paid by 85')),
    ]),
  )
  expect(all.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
  expect(await balancesOf(prisma, 81, 82, 83, 84, 85)).toEqual([105, 100, 105, 100, 105])
})

test('with joinTransactions all, a nested write in a scope of mode session is told of a COMMIT that fails', async () => {
  const { prisma } = tests.open({ pool: { leasehold: { joinTransactions: 'all' } } })
  await prisma.$executeRaw`
    create function refuses_late() returns trigger language plpgsql as $$ begin raise 'refused at COMMIT'; end $$`
  await prisma.$executeRaw`
    create constraint trigger late after insert on orders deferrable initially deferred
      for each row when (new.note = 'late') execute function refuses_late()`
  const all = await runInScope({ label: 'GET /', mode: 'session' }, () =>
    Promise.allSettled([prisma.account.update(pays(91, 'late')), prisma.account.update(pays(92, 'in time'))]),
  )

  expect(all.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
  expect(await balancesOf(prisma, 91, 92)).toEqual([100, 105])
})
