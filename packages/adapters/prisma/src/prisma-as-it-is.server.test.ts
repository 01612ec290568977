import { createPgPool } from '@leasehold/pg'
import { expect, test, vi } from 'vitest'
import { createPrismaAdapter } from './create-prisma-adapter.js'
import { leasePrisma } from './lease-prisma.js'
import { internalsOf, type PrismaInternals } from './prisma-internals.js'
import { usePrisma } from './testing/use-prisma.js'

const tests = usePrisma()

test('models, relations and raw queries work, and errors are those of Prisma', async () => {
  const { prisma } = tests.open()
  await prisma.account.create({ data: { id: 4_001, owner: 'me', orders: { create: [{ note: 'a note' }] } } })
  const found = await prisma.account.findUnique({ where: { id: 4_001 }, include: { orders: true } })
  expect(found).toMatchObject({ owner: 'me', orders: [{ note: 'a note' }] })
  expect(await prisma.account.findMany({ where: { id: { lt: 3 } }, orderBy: { id: 'desc' } })).toHaveLength(2)
  expect(await prisma.$executeRaw`update accounts set balance = ${7} where id = ${4_001}`).toBe(1)
  expect(await prisma.$queryRaw`select balance, now() as at from accounts where id = ${4_001}`).toEqual([
    { balance: 7, at: expect.any(Date) },
  ])
  expect(await prisma.$queryRawUnsafe('select 12345678901234567890::numeric::text as n')).toEqual([
    { n: '12345678901234567890' },
  ])
  await expect(Promise.resolve(prisma.account.create({ data: { id: 4_001, owner: 'again' } }))).rejects.toMatchObject({
    name: 'PrismaClientKnownRequestError',
    code: 'P2002',
    meta: { modelName: 'Account' },
  })
  await expect(Promise.resolve(prisma.account.findUniqueOrThrow({ where: { id: -1 } }))).rejects.toMatchObject({
    code: 'P2025',
  })
  await expect(Promise.resolve(prisma.$queryRaw`select 1 / 0`)).rejects.toMatchObject({ code: 'P2010' })
  await expect(Promise.resolve(prisma.account.findMany({ where: { nonsense: 1 } }))).rejects.toMatchObject({
    name: 'PrismaClientValidationError',
  })
})

test('$disconnect leaves the shared pool alone, and the client can be used again', async () => {
  const { pool, prisma } = tests.open()
  await prisma.account.count()
  const listeners = pool.listenerCount('error')
  await prisma.$disconnect()
  expect(pool.listenerCount('error')).toBe(listeners - 1)
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  expect(await prisma.account.count()).toBeGreaterThan(0)
})

test('several clients stand on one pool, each with its own options', async () => {
  const { pool, prisma } = tests.open({ pool: { max: 2 } })
  const adapter = createPrismaAdapter(pool, { schema: 'public', statementNameGenerator: ({ sql }) => `s${sql.length}` })
  const other = leasePrisma(new tests.PrismaClient({ adapter }), pool)
  expect(await Promise.all([prisma.account.count(), other.account.count()])).toEqual([
    expect.any(Number),
    expect.any(Number),
  ])
  await other.$disconnect()
  expect(await prisma.account.count()).toBeGreaterThan(0)
  expect(pool.snapshot().connections.total).toBeLessThanOrEqual(2)
})

test('extensions and $on work, whether they come before leasePrisma or after', async () => {
  const queries: string[] = []
  const seen: string[] = []
  const pool = createPgPool({ connectionString: tests.url })
  const client = new tests.PrismaClient({
    adapter: createPrismaAdapter(pool),
    log: [{ emit: 'event', level: 'query' }],
  })
  client.$on('query', ({ query }) => queries.push(query))
  const extension = (name: string): object => ({
    model: { account: { richest: () => `${name} richest` } },
    result: {
      account: { title: { needs: { owner: true }, compute: ({ owner }: { owner: string }) => `${name} ${owner}` } },
    },
    query: {
      $allOperations: async ({ args, query }: { args: unknown; query: (args: unknown) => Promise<unknown> }) => {
        seen.push(name)
        return query(args)
      },
    },
  })
  const before = leasePrisma(client.$extends(extension('before')), pool)
  const both = before.$extends(extension('after'))
  expect(await both.account.findUnique({ where: { id: 8 } })).toMatchObject({ title: 'after owner of 8' })
  expect((both.account as unknown as { richest(): string }).richest()).toBe('after richest')
  expect(seen.sort()).toEqual(['after', 'before'])
  await both.$transaction(async (tx) => {
    expect(await tx.account.findUnique({ where: { id: 9 } })).toMatchObject({ title: 'after owner of 9' })
  })
  expect(queries[0]).toContain('FROM "public"."accounts"')
  expect(queries.filter((query) => query.startsWith('SELECT'))).toHaveLength(2)
  await client.$disconnect()
  await pool.end()
})

test('leasing a client twice changes nothing more', async () => {
  const { pool, prisma } = tests.open()
  const { handler, engine } = internalsOf(prisma) as PrismaInternals
  const before = { ...handler, ...engine }
  expect(leasePrisma(prisma, pool)).toBe(prisma)
  expect(leasePrisma(prisma.$extends({}), pool)).not.toBe(prisma)
  expect({ ...handler, ...engine }).toEqual(before)
  expect(await prisma.account.findUnique({ where: { id: 1 } })).toMatchObject({ id: 1 })
})

test('prepared statements are named as the options say (Prisma 7)', async () => {
  const { pool, prisma } = tests.open({ pool: { max: 1 }, adapter: { statementNameGenerator: () => 'mine' } })
  await prisma.$queryRaw`select 1`
  const { rows } = await pool.query('select name from pg_prepared_statements')
  expect(rows).toEqual([{ name: 'mine' }])
})

test('errors of idle connections are told', async () => {
  const onPoolError = vi.fn<(error: Error) => void>()
  const { pool, prisma } = tests.open({ adapter: { onPoolError } })
  await prisma.$connect()
  const held = await pool.connect()
  pool.emit('error', new Error('an idle connection died'), held)
  held.release()
  expect(onPoolError).toHaveBeenCalledOnce()
})
