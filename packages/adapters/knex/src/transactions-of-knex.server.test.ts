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
