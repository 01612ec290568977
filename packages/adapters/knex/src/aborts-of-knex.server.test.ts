import { findLeaseholdError, runInScope } from '@leasehold/core'
import { hangUpDuring, usePostgres } from '@leasehold/testkit/postgres'
import type { Knex } from 'knex'
import { expect, test } from 'vitest'
import { openKnex } from './open-knex.js'

const database = usePostgres()

async function notesIn(db: Knex): Promise<number> {
  return (await db('notes')).length
}

test('a statement of a client that has gone is cancelled, and fails with an error of ours', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  const { db, pool } = opened
  await db.raw('select 1')

  const { error, tookMs } = await hangUpDuring(pool, () => db.raw('select pg_sleep(20)'))

  expect(findLeaseholdError(error)).toMatchObject({ code: 'LEASEHOLD_ABORTED', why: 'closed' })
  expect(tookMs).toBeLessThan(1_000)
  expect((await db.raw('select 1 as one')).rows).toEqual([{ one: 1 }])
  expect(pool.snapshot().counts.opened).toBe(1)
})

test('its transaction is rolled back, and the connection is the next one’s', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  const { db, pool } = opened
  await db.schema.createTable('notes', (table) => table.text('note'))

  const { error } = await hangUpDuring(pool, () =>
    db.transaction(async (trx) => {
      await trx('notes').insert({ note: 'half' })
      await trx.raw('select pg_sleep(20)')
    }),
  )

  expect(findLeaseholdError(error)).toMatchObject({ code: 'LEASEHOLD_ABORTED', inTransaction: true })
  expect(await notesIn(db)).toBe(0)
  expect(pool.snapshot()).toMatchObject({ connections: { lent: 0 }, counts: { opened: 1, leaks: { 'left-over': 0 } } })
})

test('a deadline and queryTimeoutMs end it as well, in a transaction and without', async () => {
  await using opened = openKnex(database.url, { max: 2, leasehold: { queryTimeoutMs: 600 } })
  const { db } = opened
  await db.raw('select 1')
  const nap = (of: Knex) => of.raw('select pg_sleep(20)')

  for (const work of [() => nap(db), () => db.transaction((trx) => nap(trx))]) {
    const late = runInScope({ label: 'late', deadlineMs: 400 }, work).catch((error: unknown) => error)
    expect(findLeaseholdError(await late)).toMatchObject({ why: 'deadline', statusCode: 503 })
    const long = Promise.resolve(work()).catch((error: unknown) => error)
    expect(findLeaseholdError(await long)).toMatchObject({ why: 'query-timeout' })
  }
})
