import { findLeaseholdError } from '@leasehold/core'
import { createKnex } from '@leasehold/knex'
import { createPrismaAdapter, leasePrisma } from '@leasehold/prisma'
import type { Knex } from 'knex'
import QueryStream from 'pg-query-stream'
import { beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import { loadClient, type TestClient } from '../../packages/adapters/prisma/src/testing/test-client.js'
import { useStage } from './use-stage.js'

const stage = useStage({ max: 3, connectionTimeoutMillis: 300 })
let db: Knex
let prisma: TestClient

beforeAll(async () => {
  await stage.outside.query(`create table accounts (id int primary key, owner text not null, balance int default 0);
    create table orders (id serial primary key, account_id int references accounts, note text not null unique)`)
  const PrismaClient = await loadClient()
  db = createKnex(stage.pool, { log: { warn() {}, error() {} } })
  prisma = leasePrisma(new PrismaClient({ adapter: createPrismaAdapter(stage.pool) }), stage.pool)
})
beforeEach(() => stage.outside.query('truncate rows, accounts, orders'))

const failure = new Error('of the work')
const write = (name: string): PromiseLike<unknown> =>
  prisma.$queryRawUnsafe(`insert into rows (name) values ('${name}')`)
const insert = (on: Knex, name: string): PromiseLike<unknown> => on('rows').insert({ name })

describe('a batch of Prisma in a pool.transaction', () => {
  it('is there with what a transaction of Knex did beside it, and gone with the whole', async () => {
    const work = async (): Promise<void> => {
      const knexOwn = db.transaction(async (trx) => {
        await insert(trx, 'knex 1')
        await insert(trx, 'knex 2')
      })
      await Promise.all([knexOwn, prisma.$transaction([write('batch 1'), write('batch 2')])])
    }
    await stage.pool.transaction(work)
    expect(await stage.rows()).toEqual(['batch 1', 'batch 2', 'knex 1', 'knex 2'])
    await stage.outside.query('truncate rows')
    const rolledBack = stage.pool.transaction(async () => {
      await work()
      throw failure
    })
    await expect(rolledBack).rejects.toBe(failure)
    expect(await stage.rows()).toEqual([])
  })

  it('that was begun around a transaction of Knex, and is awaited in it, is there', async () => {
    await stage.pool.transaction(async () => {
      const batch = prisma.$transaction([write('batch 1'), write('batch 2')])
      await db.transaction(async (trx) => {
        await insert(trx, 'knex 1')
        await batch
        await insert(trx, 'knex 2')
      })
    })
    expect(await stage.rows()).toEqual(['batch 1', 'batch 2', 'knex 1', 'knex 2'])
  })

  it('whose parts were made around a transaction of Knex, and that is begun in it, is there', async () => {
    await stage.pool.transaction(async () => {
      const parts = [write('batch 1'), write('batch 2')]
      await db.transaction(async (trx) => {
        await insert(trx, 'knex 1')
        await prisma.$transaction(parts)
        await insert(trx, 'knex 2')
      })
    })
    expect(await stage.rows()).toEqual(['batch 1', 'batch 2', 'knex 1', 'knex 2'])
  })

  it('is undone alone when a part of it fails, and so is a nested write, which is a transaction as well', async () => {
    await stage.pool.transaction(async () => {
      await insert(db, 'knex 1')
      await expect(prisma.$transaction([write('batch 1'), prisma.$queryRawUnsafe('select 1/0')])).rejects.toThrow(
        /zero/,
      )
      const orders = { create: [{ note: 'the same' }, { note: 'the same' }] }
      await expect(prisma.account.create({ data: { id: 1, owner: 'Ann', orders } })).rejects.toMatchObject({
        code: 'P2002',
      })
      await prisma.account.create({ data: { id: 2, owner: 'Bob', orders: { create: [{ note: 'one' }] } } })
      await insert(db, 'knex 2')
    })
    expect(await stage.rows()).toEqual(['knex 1', 'knex 2'])
    const { rows } = await stage.outside.query(
      'select owner, note from accounts a join orders o on a.id = o.account_id',
    )
    expect(rows).toEqual([{ owner: 'Bob', note: 'one' }])
  })
})

const series = (rows: number): string => `select generate_series(1, ${rows}) as n`

/** Streams in a pool.transaction, each with the way in which its reader inserts a row for every row that it reads. */
const STREAMS: Readonly<Record<string, (rows: number) => Promise<void>>> = {
  'Knex, on its root object': async (rows) => {
    for await (const row of db.raw(series(rows)).stream()) await insert(db, `row ${(row as { n: number }).n}`)
  },
  'Knex, in its transaction': (rows) =>
    db.transaction(async (trx) => {
      for await (const row of trx.raw(series(rows)).stream()) await insert(trx, `row ${(row as { n: number }).n}`)
    }),
  'pg-query-stream, with Prisma for the rows': async (rows) => {
    const client = await stage.pool.connect()
    const stream = client.query(new QueryStream(series(rows)))
    for await (const row of stream) await write(`row ${(row as { n: number }).n}`)
    client.release()
  },
}

describe.each(Object.entries(STREAMS))('for await over a stream of %s that inserts', (_name, work) => {
  test('has all rows inserted when all that is read has come before the first insert', async () => {
    await stage.pool.transaction(() => work(20))
    expect(await stage.rows()).toHaveLength(20)
  })

  test('fails, naming the stream, when nobody reads on because the insert waits for its end; and nothing of it stays', async () => {
    const error: unknown = await stage.pool.transaction(() => work(5_000)).catch((reason: unknown) => reason)
    const found = findLeaseholdError(error)
    expect(found).toMatchObject({ code: 'LEASEHOLD_ACQUIRE_TIMEOUT' })
    expect(found?.message).toMatch(/stream.*, from which nobody reads? on: select generate_series/)
    expect(await stage.rows()).toEqual([])
    expect(stage.pool.snapshot().connections.lent).toBe(0)
    await stage.pool.transaction(() => write('afterwards'))
    expect(await stage.rows()).toEqual(['afterwards'])
  })
})
