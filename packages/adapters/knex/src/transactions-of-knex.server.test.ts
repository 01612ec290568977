import { runInScope } from '@leasehold/core'
import { usePostgres } from '@leasehold/testkit/postgres'
import type { Knex } from 'knex'
import { expect, test, vi } from 'vitest'
import { openKnex } from './open-knex.js'

const database = usePostgres()

async function emptyTable(db: Knex): Promise<void> {
  await db.schema.dropTableIfExists('notes')
  await db.schema.createTable('notes', (table) => table.text('note'))
}

test('in statement mode a transaction is refused, and its callback never runs', async () => {
  await using opened = openKnex(database.url, { max: 2, leasehold: { mode: 'statement' } })
  const { db } = opened
  await emptyTable(db)
  const callback = vi.fn<() => Promise<void>>(async () => {
    // On the root object: without BEGIN this would be committed.
    await db('notes').insert({ note: 'autocommitted' })
  })
  await expect(db.transaction(callback)).rejects.toMatchObject({ code: 'LEASEHOLD_MODE_VIOLATION' })
  await expect(db.transaction()).rejects.toMatchObject({ code: 'LEASEHOLD_MODE_VIOLATION' })
  expect(callback).not.toHaveBeenCalled()
  expect(await db('notes')).toEqual([])
})

test('a callback does not run when the server refused BEGIN', async () => {
  await using opened = openKnex(database.url, { max: 2 })
  const { db, pool } = opened
  await emptyTable(db)
  const callback = vi.fn<() => Promise<void>>(async () => void (await db('notes').insert({ note: 'autocommitted' })))
  const connection = await pool.connect()
  await connection.query(`select pg_terminate_backend(pg_backend_pid())`).catch(() => {})
  await expect(db.transaction(callback, { connection })).rejects.toBeInstanceOf(Error)
  connection.release()
  expect(callback).not.toHaveBeenCalled()
  expect(await db('notes')).toEqual([])
})

test('a callback does not run when the savepoint was refused, and the outer transaction says why', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  const { db } = opened
  const callback = vi.fn<() => Promise<void>>(() => Promise.resolve())
  await expect(
    db.transaction(async (trx) => {
      await trx.raw('select nothing').catch(() => {})
      await expect(trx.transaction(callback)).rejects.toMatchObject({ code: '25P02' })
    }),
  ).resolves.toBeUndefined()
  expect(callback).not.toHaveBeenCalled()
})

test('a transaction that throws synchronously is rolled back', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  await emptyTable(opened.db)
  await expect(
    opened.db.transaction(() => {
      throw new Error('at once')
    }),
  ).rejects.toThrow('at once')
  expect(opened.pool.snapshot().connections.lent).toBe(0)
})

test('a transaction that a request forgets is rolled back with its scope, and is of no use afterwards', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  const { db, pool } = opened
  await emptyTable(db)
  const leaks: string[] = []
  const off = pool.leases.on('leak', ({ kind, label }) => leaks.push(`${kind}: ${label}`))
  const forgotten = await runInScope({ label: 'forgetful' }, async () => {
    const trx = await db.transaction()
    await trx('notes').insert({ note: 'forgotten' })
    return { trx }
  })
  expect(leaks).toEqual(['left-over: forgetful'])
  expect(await db('notes')).toEqual([])
  await expect(forgotten.trx('notes').insert({ note: 'late' })).rejects.toMatchObject({
    code: 'LEASEHOLD_LEASE_RELEASED',
  })
  await forgotten.trx.rollback()
  off()
})

test('without a callback a transaction opens no frame: only its own object is in it', async () => {
  await using opened = openKnex(database.url, { max: 2 })
  const { db, pool } = opened
  await emptyTable(db)
  await pool.transaction(async () => {
    for (const begin of [() => db.transaction(), db.transactionProvider()]) {
      const trx = await begin()
      await trx('notes').insert({ note: 'inside' })
      await trx.rollback()
      await db('notes').insert({ note: 'beside' })
    }
  })
  expect(await db('notes')).toEqual([{ note: 'beside' }, { note: 'beside' }])
})

test('on a connection of its own, or inside one that began outside, it is no part of the transaction around it', async () => {
  await using opened = openKnex(database.url, { max: 3 })
  const { db, pool } = opened
  await emptyTable(db)
  const connection = await pool.connect()
  const outer = await db.transaction()
  const failed = pool.transaction(async () => {
    await db.transaction(async (trx) => void (await trx('notes').insert({ note: 'own connection' })), { connection })
    await outer.transaction(async (trx) => void (await trx('notes').insert({ note: 'nested in another' })))
    await db('notes').insert({ note: 'inside' })
    throw new Error('all of it')
  })
  await expect(failed).rejects.toThrow('all of it')
  await outer.commit()
  connection.release()
  expect(await db('notes').orderBy('note')).toEqual([{ note: 'nested in another' }, { note: 'own connection' }])
})

test('inside another one nested siblings take turns, and a batch insert is one of them', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  const { db, pool } = opened
  await emptyTable(db)
  await pool.transaction(async () => {
    await db.transaction(async (trx) => {
      const failing = trx.transaction(async (inner) => {
        await inner('notes').insert({ note: 'undone' })
        throw new Error('this one')
      })
      const [failed] = await Promise.allSettled([
        failing,
        trx.transaction(async (inner) => void (await inner('notes').insert({ note: 'kept' }))),
        db.batchInsert('notes', [{ note: 'one' }, { note: 'two' }], 1),
      ])
      expect(failed.status).toBe('rejected')
    })
  })
  expect(await db('notes').orderBy('note')).toEqual([{ note: 'kept' }, { note: 'one' }, { note: 'two' }])
})

test('what Knex returns for a transaction stays its own object, where it need not wait', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  const { db, pool } = opened
  const queries: string[] = []
  const run = (): PromiseLike<unknown> => {
    const made = db.transaction(async (trx) => await trx.raw('select 1')) as unknown as PromiseLike<unknown> & {
      on(event: 'query', listener: (query: { sql: string }) => void): void
    }
    made.on('query', ({ sql }) => queries.push(sql))
    return made
  }
  await run()
  await pool.transaction(() => run())
  expect(queries.filter((sql) => sql === 'select 1')).toHaveLength(2)
})
