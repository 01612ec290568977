import type * as core from '@leasehold/core'
import { createPgPool } from '@leasehold/pg'
import { usePostgres } from '@leasehold/testkit/postgres'
import type * as prismaAdapter from '@prisma/adapter-pg'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { loadClient, type TestClientClass } from './testing/test-client.js'

const database = usePostgres()
const require = createRequire(import.meta.url)

let folder: string
let PrismaClient: TestClientClass

beforeAll(async () => {
  // What npm does when two packages want versions of pg that do not agree: one is put beside the package that wants it.
  const parent = fileURLToPath(new URL('../.generated/', import.meta.url))
  PrismaClient = await loadClient()
  folder = await mkdtemp(join(parent, 'two-copies-'))
  await cp(rootOf('pg'), join(folder, 'node_modules/pg'), { recursive: true, dereference: true })
  await cp(rootOf('@prisma/adapter-pg'), join(folder, 'node_modules/@prisma/adapter-pg'), { recursive: true })
})
afterAll(() => rm(folder, { recursive: true }))
afterEach(() => {
  vi.doUnmock('@prisma/adapter-pg')
  vi.resetModules()
})

function rootOf(name: string): string {
  const entry = require.resolve(name)
  return join(entry.slice(0, entry.lastIndexOf(join('node_modules', name))), 'node_modules', name)
}

function adapterWithItsOwnPg(): typeof prismaAdapter {
  return createRequire(join(folder, 'anywhere.js'))('@prisma/adapter-pg') as typeof prismaAdapter
}

test('Prisma’s adapter takes our pool though it has a copy of pg of its own', async () => {
  const other = adapterWithItsOwnPg()
  const pool = createPgPool({ connectionString: database.url, max: 1 })
  // The trap: it takes a pool of another copy for a configuration, and opens a pool of its own.
  const astray = await new other.PrismaPg(pool).connect()
  expect(astray.underlyingDriver()).not.toBe(pool)
  await astray.dispose()

  vi.doMock('@prisma/adapter-pg', () => other)
  const { createPrismaAdapter } = await import('./create-prisma-adapter.js')
  const { leasePrisma } = await import('./lease-prisma.js')
  const adapter = createPrismaAdapter(pool)
  expect(adapter).toBeInstanceOf(other.PrismaPg)
  const prisma = leasePrisma(new PrismaClient({ adapter }), pool)
  const [row] = await prisma.$transaction((tx) =>
    Promise.resolve(tx.$queryRaw<[{ pid: number }]>`select pg_backend_pid() as pid`),
  )
  const { rows } = await pool.query<{ pid: number }>('select pg_backend_pid() as pid')
  expect(row).toEqual(rows[0])
  await prisma.$disconnect()
  await pool.end()
})

test('an adapter that does not take it is refused with a message that says so', async () => {
  class PrismaPg {
    readonly provider = 'postgres'
    readonly adapterName = '@prisma/adapter-pg'

    async connect(): Promise<object> {
      return { underlyingDriver: () => new Map(), dispose: async () => {} }
    }
  }
  vi.doMock('@prisma/adapter-pg', () => ({ PrismaPg }))
  const { createPrismaAdapter } = await import('./create-prisma-adapter.js')
  const { findLeaseholdError } = await vi.importActual<typeof core>('@leasehold/core')
  const pool = createPgPool({ connectionString: database.url })
  const prisma = new PrismaClient({ adapter: createPrismaAdapter(pool) })
  const error = await Promise.resolve(prisma.account.count()).catch((failure: unknown) => failure)
  expect(findLeaseholdError(error)).toMatchObject({
    code: 'LEASEHOLD_INVALID_OPTIONS',
    message: expect.stringContaining('If `npm ls pg` shows two copies, deduplicate them'),
  })
  expect(pool.totalCount).toBe(0)
  await pool.end()
})
