import { findLeaseholdError } from '@leasehold/core'
import { usePostgres } from '@leasehold/testkit/postgres'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { openDrizzle, type OpenedDrizzle } from './testing/open-drizzle.js'
import { SUPPORTED_DRIZZLES, TABLES } from './testing/supported-drizzles.js'

const database = usePostgres()

beforeEach(async () => {
  const admin = new Client({ connectionString: database.url })
  await admin.connect()
  await admin.query(`drop schema if exists drizzle cascade; drop table if exists authors, books, notes; ${TABLES}`)
  await admin.end()
})

describe.each(SUPPORTED_DRIZZLES)('Drizzle $name', (supported) => {
  const { sql, eq, authors, books, migrate, withReplicas } = supported
  const open = (options?: Parameters<typeof openDrizzle>[2]): OpenedDrizzle =>
    openDrizzle(supported, database.url, options)

  test('builders, raw statements and counts answer as ever, and $client is the pool', async () => {
    await using opened = open()
    const { db, pool } = opened
    expect(await db.insert(authors).values({ name: 'Ada' }).returning()).toEqual([{ id: 1, name: 'Ada' }])
    await db.update(authors).set({ name: 'Ada Lovelace' }).where(eq(authors.id, 1))
    expect(await db.select({ name: authors.name }).from(authors)).toEqual([{ name: 'Ada Lovelace' }])
    expect(await db.$count(authors)).toBe(1)
    const named = db.$with('named').as(db.select().from(authors))
    expect(await db.with(named).select().from(named)).toHaveLength(1)
    expect((await db.execute(sql`select ${1}::int as one`)).rows).toEqual([{ one: 1 }])
    expect(await db.delete(authors).returning({ id: authors.id })).toEqual([{ id: 1 }])
    expect(db.$client).toBe(pool)
  })

  test('relational queries answer as ever, in a transaction too', async () => {
    await using opened = open()
    const { db } = opened
    await db.insert(authors).values([{ name: 'Ada' }, { name: 'Bob' }])
    await db.insert(books).values({ title: 'Notes', authorId: 1 })
    const expected = [
      { id: 1, name: 'Ada', books: [{ id: 1, title: 'Notes', authorId: 1 }] },
      { id: 2, name: 'Bob', books: [] },
    ]
    expect(await db.query.authors.findMany({ with: { books: true } })).toEqual(expected)
    expect(await db.transaction((tx) => tx.query.authors.findMany({ with: { books: true } }))).toEqual(expected)
  })

  test('a prepared statement works on every connection, in every transaction, and after the session was made clean', async () => {
    await using opened = open({ min: 3, max: 3, leasehold: { warmUp: 'eager' } })
    const { db, pool } = opened
    await expect.poll(() => pool.snapshot().connections.idle).toBe(3)
    await db.insert(authors).values([{ name: 'Ada' }, { name: 'Bob' }])
    const byId = db
      .select({ name: authors.name })
      .from(authors)
      .where(eq(authors.id, sql.placeholder('id')))
      .prepare('author_by_id')
    const once = async (): Promise<void> => expect(await byId.execute({ id: 2 })).toEqual([{ name: 'Bob' }])
    await Promise.all(Array.from({ length: 12 }, once))
    expect(pool.snapshot().connections.peak).toBe(3)
    await db.transaction(async (tx) => {
      const inside = tx.select().from(authors).prepare('all_authors')
      expect(await inside.execute()).toHaveLength(2)
      expect(await inside.execute()).toHaveLength(2)
    })
    for (let time = 0; time < 3; time += 1) {
      const client = await pool.connect()
      await client.query('begin')
      client.release()
    }
    await Promise.all(Array.from({ length: 12 }, once))
  })

  test('a transaction commits what it did, and takes it back when it throws', async () => {
    await using opened = open({ max: 1 })
    const { db } = opened
    const kept = await db.transaction(async (tx) => {
      await tx.insert(authors).values({ name: 'kept' })
      return 'an answer'
    })
    expect(kept).toBe('an answer')
    const reason = new Error('not this one')
    const undone = db.transaction(async (tx) => {
      await tx.insert(authors).values({ name: 'undone' })
      throw reason
    })
    await expect(undone).rejects.toBe(reason)
    await expect(db.transaction(async (tx) => tx.rollback())).rejects.toThrow('Rollback')
    expect(await db.select({ name: authors.name }).from(authors)).toEqual([{ name: 'kept' }])
  })

  test('a transaction in a transaction is a savepoint', async () => {
    await using opened = open({ max: 1 })
    const { db } = opened
    await db.transaction(async (tx) => {
      await tx.insert(authors).values({ name: 'outer' })
      const undone = tx.transaction(async (inner) => {
        await inner.insert(authors).values({ name: 'inner' })
        await inner.transaction((innermost) => innermost.execute(sql`select nothing`))
      })
      await expect(undone).rejects.toMatchObject({ cause: { code: '42703' } })
      await tx.transaction((inner) => inner.insert(authors).values({ name: 'sibling' }))
    })
    expect(await db.select({ name: authors.name }).from(authors)).toEqual([{ name: 'outer' }, { name: 'sibling' }])
  })

  test('a transaction gets the isolation level and the mode that it asks for, and leaves them to nobody', async () => {
    await using opened = open({ max: 1 })
    const { db } = opened
    const show = async (on: Pick<typeof db, 'execute'>): Promise<unknown> => {
      const level = sql`select current_setting('transaction_isolation') as level, current_setting('transaction_read_only') as mode`
      return (await on.execute(level)).rows[0]
    }
    const config = { isolationLevel: 'serializable', accessMode: 'read only', deferrable: true } as const
    expect(await db.transaction(show, config)).toEqual({ level: 'serializable', mode: 'on' })
    expect(await show(db)).toEqual({ level: 'read committed', mode: 'off' })
  })

  test('parallel queries of a transaction run one after the other, without a warning of the driver', async () => {
    await using opened = open({ max: 1 })
    const warned = vi.fn<(warning: Error) => void>()
    process.on('warning', warned)
    const rows = await opened.db.transaction((tx) =>
      Promise.all(
        Array.from({ length: 8 }, async (_, at) => {
          await tx.insert(authors).values({ name: `${at}` })
          return tx.$count(authors)
        }),
      ),
    )
    expect(rows).toHaveLength(8)
    expect(await opened.db.$count(authors)).toBe(8)
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', warned)
    expect(warned).not.toHaveBeenCalled()
  })

  test('more transactions than connections wait for their turn', async () => {
    await using opened = open({ max: 2 })
    const { db, pool } = opened
    await Promise.all(
      Array.from({ length: 20 }, (_, at) => db.transaction((tx) => tx.insert(authors).values({ name: `${at}` }))),
    )
    expect(await db.$count(authors)).toBe(20)
    expect(pool.snapshot().connections.peak).toBe(2)
  })

  test('migrations run, once', async () => {
    await using opened = open({ max: 1 })
    const { db } = opened
    const migrationsFolder = fileURLToPath(new URL(`testing/migrations-${supported.name}`, import.meta.url))
    await migrate(db, { migrationsFolder })
    await migrate(db, { migrationsFolder })
    expect((await db.execute(sql`select note from notes`)).rows).toEqual([{ note: 'migrated' }])
  })

  test('a migration that fails leaves nothing behind', async () => {
    await using opened = open({ max: 1 })
    const { db, pool } = opened
    await db.execute(sql`create view notes as select 1`)
    const migrationsFolder = fileURLToPath(new URL(`testing/migrations-${supported.name}`, import.meta.url))
    await expect(migrate(db, { migrationsFolder })).rejects.toMatchObject({ cause: { code: '42P07' } })
    expect(pool.snapshot().connections.lent).toBe(0)
    await db.execute(sql`drop view notes`)
    await migrate(db, { migrationsFolder })
  })

  test('a primary and its replicas may be two of ours', async () => {
    await using primary = open({ max: 1 })
    await using replica = open({ max: 1 })
    const db = withReplicas(primary.db, [replica.db])
    await db.transaction((tx) => tx.insert(authors).values({ name: 'Ada' }))
    expect(await db.select().from(authors)).toHaveLength(1)
    expect([primary, replica].map(({ pool }) => pool.snapshot().counts.granted)).toEqual([1, 1])
  })

  test("a statement's own error arrives as Drizzle's, with the driver's as its cause, and costs no connection", async () => {
    await using opened = open({ max: 1 })
    const { db, pool } = opened
    const error: unknown = await db.execute(sql`select 1/0`).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ message: expect.stringContaining('Failed query'), cause: { code: '22012' } })
    expect(findLeaseholdError(error)).toBeUndefined()
    await db.execute(sql`select 1`)
    expect(pool.snapshot().counts.opened).toBe(1)
  })

  test('a full pool, a database that is down and a closed pool are errors of ours, found in what Drizzle throws', async () => {
    const codesOf = ({ db }: OpenedDrizzle): Promise<unknown[]> =>
      Promise.all(
        [db.select().from(authors), db.transaction(async () => {})].map((work) =>
          work.then(String, (error: unknown) => findLeaseholdError(error)?.code),
        ),
      )
    await using full = open({ max: 1, connectionTimeoutMillis: 250 })
    const held = await full.pool.connect()
    expect(await codesOf(full)).toEqual(['LEASEHOLD_ACQUIRE_TIMEOUT', 'LEASEHOLD_ACQUIRE_TIMEOUT'])
    held.release()

    await using down = openDrizzle(supported, 'postgres://nobody@127.0.0.1:1/none')
    expect(await codesOf(down)).toEqual(['LEASEHOLD_CONNECT_FAILED', 'LEASEHOLD_CONNECT_FAILED'])

    const closed = open()
    await closed.pool.end()
    expect(await codesOf(closed)).toEqual(['LEASEHOLD_POOL_CLOSED', 'LEASEHOLD_POOL_CLOSED'])
    const error = findLeaseholdError(await closed.db.$count(authors).then(String, (thrown: unknown) => thrown))
    expect(error?.remedy).toContain('Close a pool only after the last work that needs it')
  })
})
