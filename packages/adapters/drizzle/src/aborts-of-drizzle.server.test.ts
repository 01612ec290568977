import { findLeaseholdError, runInScope } from '@leasehold/core'
import { hangUpDuring, usePostgres } from '@leasehold/testkit/postgres'
import { Pool } from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import { openDrizzle } from './testing/open-drizzle.js'
import { SUPPORTED_DRIZZLES, TABLES } from './testing/supported-drizzles.js'

const database = usePostgres()

beforeAll(async () => {
  const admin = new Pool({ connectionString: database.url })
  await admin.query(TABLES)
  await admin.end()
})

describe.each(SUPPORTED_DRIZZLES)('Drizzle $name', (supported) => {
  const { sql, authors } = supported
  const nap = sql`select pg_sleep(20)`

  test('a statement of a client that has gone is cancelled, and our error is the cause of its failure', async () => {
    await using opened = openDrizzle(supported, database.url, { max: 1 })
    const { db, pool } = opened
    await db.execute(sql`select 1`)

    const { error } = await hangUpDuring(pool, () => db.execute(nap))

    expect(findLeaseholdError(error)).toMatchObject({ code: 'LEASEHOLD_ABORTED', why: 'closed' })
    expect((await db.execute(sql`select 1 as one`)).rows).toEqual([{ one: 1 }])
    expect(pool.snapshot().counts.opened).toBe(1)
  })

  test('its transaction is rolled back, and the connection is the next one’s', async () => {
    await using opened = openDrizzle(supported, database.url, { max: 1 })
    const { db, pool } = opened

    const { error } = await hangUpDuring(pool, () =>
      db.transaction(async (tx) => {
        await tx.insert(authors).values({ name: 'half' })
        await tx.execute(nap)
      }),
    )

    expect(findLeaseholdError(error)).toMatchObject({ code: 'LEASEHOLD_ABORTED', inTransaction: true })
    expect(await db.select().from(authors)).toEqual([])
    expect(pool.snapshot().counts).toMatchObject({ opened: 1, leaks: { 'left-over': 0 } })
  })

  test('a deadline and queryTimeoutMs end it as well, in a transaction and without', async () => {
    await using opened = openDrizzle(supported, database.url, { max: 2, leasehold: { queryTimeoutMs: 600 } })
    const { db } = opened
    await db.execute(sql`select 1`)

    for (const work of [() => db.execute(nap), () => db.transaction((tx) => tx.execute(nap))]) {
      const late = runInScope<unknown>({ label: 'late', deadlineMs: 400 }, work).catch((error: unknown) => error)
      expect(findLeaseholdError(await late)).toMatchObject({ why: 'deadline', statusCode: 503 })
      const long = Promise.resolve<unknown>(work()).catch((error: unknown) => error)
      expect(findLeaseholdError(await long)).toMatchObject({ why: 'query-timeout' })
    }
  })
})
