import { usePostgres } from '@leasehold/testkit/postgres'
import { beforeEach, describe, expect, it } from 'vitest'
import { openDrizzle, type TestDatabase } from './testing/open-drizzle.js'
import { SUPPORTED_DRIZZLES, TABLES } from './testing/supported-drizzles.js'

const database = usePostgres()
const failure = new Error('of the work')

describe.each(SUPPORTED_DRIZZLES)('a transaction of Drizzle $name', (drizzle) => {
  const { authors } = drizzle
  beforeEach(async () => {
    await using opened = openDrizzle(drizzle, database.url, { max: 1 })
    await opened.pool.query(`drop table if exists books, authors; ${TABLES}`)
  })

  const insert = async (db: Pick<TestDatabase, 'insert'>, name: string): Promise<void> =>
    void (await db.insert(authors).values({ name }))
  const namesIn = async (db: TestDatabase): Promise<string> =>
    (await db.select().from(authors))
      .map(({ name }) => name)
      .toSorted()
      .join()

  it('inside another one has its root object as part of it, and nested siblings of which each keeps its own', async () => {
    await using opened = openDrizzle(drizzle, database.url, { max: 1 })
    const { db, pool } = opened
    await pool.transaction(async () => {
      await db.transaction(async (tx) => {
        await insert(tx, 'outer')
        const failing = tx.transaction(async (inner) => {
          await insert(inner, 'undone')
          await insert(db, 'undone on the root object')
          await inner.transaction((deeper) => insert(deeper, 'undone deeper'))
          throw failure
        })
        const settled = await Promise.allSettled([failing, tx.transaction((inner) => insert(inner, 'kept'))])
        expect(settled.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
      })
      const undone = db.transaction(async (tx) => {
        await insert(tx, 'not there')
        tx.rollback()
      })
      await expect(undone).rejects.toBeInstanceOf(Error)
    })
    expect(await namesIn(db)).toBe('kept,outer')
  })

  it('runs as it was asked to where joinTransactions is all, and its nested ones are savepoints in it', async () => {
    await using opened = openDrizzle(drizzle, database.url, { max: 1, leasehold: { joinTransactions: 'all' } })
    const { db } = opened
    const config = { isolationLevel: 'repeatable read', accessMode: 'read write' } as const
    await db.transaction(async (tx) => {
      await tx.transaction((inner) => insert(inner, 'nested'))
      await insert(db, 'on the root object')
    }, config)
    const readOnly = db.transaction(() => insert(db, 'refused'), { accessMode: 'read only' })
    await expect(readOnly).rejects.toMatchObject({ cause: { code: '25006' } })
    expect(await namesIn(db)).toBe('nested,on the root object')
  })
})
