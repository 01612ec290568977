import { findLeaseholdError } from '@leasehold/core'
import { usePostgres } from '@leasehold/testkit/postgres'
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Pool } from 'pg'
import type * as pg from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import { openDrizzle, type TestDatabase } from './testing/open-drizzle.js'
import { SUPPORTED_DRIZZLES, TABLES } from './testing/supported-drizzles.js'

const require = createRequire(import.meta.url)
const database = usePostgres()

beforeAll(async () => {
  const admin = new Pool({ connectionString: database.url })
  await admin.query(TABLES)
  await admin.end()
})

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** What goes wrong, seen with plain Drizzle on a plain pool, so that these tests are known to see it; and then with ours. */
describe.each(SUPPORTED_DRIZZLES)('Drizzle $name', (supported) => {
  const { sql, authors, eq } = supported

  interface Opened extends AsyncDisposable {
    readonly db: TestDatabase
  }

  function openPlain(options: pg.PoolConfig): Opened {
    const pool = new Pool({ connectionString: database.url, ...options })
    // Or the process would end: that has a test of its own.
    pool.on('error', () => {})
    pool.on('connect', (client) => client.on('error', () => {}))
    const { drizzle } = supported.library
    const db = drizzle({ client: pool, ...supported.config } as never) as TestDatabase
    // What leaked is never given back, so its end is not awaited.
    return { db, [Symbol.asyncDispose]: async () => void pool.end() }
  }

  const openOurs = (options: pg.PoolConfig): Opened => openDrizzle(supported, database.url, options)

  async function afterFailingBegins({ db }: Opened): Promise<string> {
    for (let time = 0; time < 2; time += 1) {
      const isolationLevel = 'sometimes' as 'serializable'
      await db.transaction(async () => {}, { isolationLevel }).catch(() => {})
    }
    return db.execute(sql`select 1`).then(
      () => 'served',
      (error: unknown) => messageOf((error as Error).cause),
    )
  }

  test('a failing BEGIN leaks no slot', async () => {
    await using plain = openPlain({ max: 1, connectionTimeoutMillis: 200 })
    await using ours = openOurs({ max: 1, connectionTimeoutMillis: 1_000 })
    // 1.0 gives it back by itself.
    const leaks = supported.name === '0.45' ? 'timeout exceeded when trying to connect' : 'served'
    expect(await afterFailingBegins(plain)).toBe(leaks)
    expect(await afterFailingBegins(ours)).toBe('served')
  })

  test('nor where the pool lends the client itself, as pg-pool does', async () => {
    await using ours = openDrizzle(supported, database.url, { max: 1, leasehold: { compat: 'pg-pool' } })
    expect(await afterFailingBegins(ours)).toBe('served')
    await ours.db.transaction((tx) => tx.select().from(authors))
  })

  /** A statement that has timed out and does not end, a ROLLBACK behind it, and then the next owner. */
  async function afterTimeout({ db }: Opened): Promise<string> {
    await db.transaction((tx) => tx.execute(sql`select pg_sleep(1.5)`)).catch(() => {})
    return db.execute(sql`select 1`).then(
      () => 'served',
      (error: unknown) => messageOf((error as Error).cause),
    )
  }

  test('a client whose ROLLBACK could not be sent is not given to the next owner', async () => {
    const options = { max: 1, query_timeout: 200 }
    await using plain = openPlain(options)
    await using ours = openOurs(options)
    expect(await afterTimeout(plain)).toBe('Query read timeout')
    expect(await afterTimeout(ours)).toBe('served')
  })

  async function reasonOf({ db }: Opened): Promise<string> {
    const killed = db.transaction(async (tx) => {
      await tx.execute(sql`select pg_terminate_backend(pg_backend_pid())`).catch(() => {})
      throw new Error('my own')
    })
    return killed.then(String, messageOf)
  }

  test('a dead client costs its connection, and the reason to roll back is what is thrown', async () => {
    await using plain = openPlain({ max: 1 })
    await using ours = openDrizzle(supported, database.url, { max: 1 })
    expect(await reasonOf(plain)).toContain('Failed query: rollback')
    expect(await reasonOf(ours)).toBe('my own')
    expect((await ours.db.execute(sql`select 1 as one`)).rows).toEqual([{ one: 1 }])
    expect(ours.pool.snapshot().counts).toMatchObject({ opened: 2, closed: { lost: 1 } })
  })

  const killed = sql`select pg_terminate_backend(pg_backend_pid())`

  async function unansweredCommitOf({ db }: Opened): Promise<string> {
    const ended = db.transaction(async (tx) => void (await tx.execute(killed).catch(() => {})))
    return ended.then(String, messageOf)
  }

  test('a COMMIT that could not be sent is what is thrown, and not the ROLLBACK behind it', async () => {
    await using plain = openPlain({ max: 1 })
    await using ours = openOurs({ max: 1 })
    expect(await unansweredCommitOf(plain)).toContain('Failed query: rollback')
    expect(await unansweredCommitOf(ours)).toContain('Failed query: commit')
  })

  async function nestedReasonOf({ db }: Opened, reason: string | undefined): Promise<string> {
    const inner = (tx: Pick<TestDatabase, 'transaction'>): Promise<void> =>
      tx.transaction(async (nested) => {
        await nested.execute(killed).catch(() => {})
        if (reason !== undefined) throw new Error(reason)
      })
    return db.transaction(inner).then(String, messageOf)
  }

  test('a nested transaction on a dead client throws why it was rolled back as well', async () => {
    await using plain = openPlain({ max: 1 })
    await using ours = openOurs({ max: 1 })
    expect(await nestedReasonOf(plain, 'my own')).toContain('Failed query: rollback')
    expect(await nestedReasonOf(ours, 'my own')).toBe('my own')
    expect(await nestedReasonOf(ours, undefined)).toContain('Failed query: release savepoint')
  })

  async function afterCommit({ db }: Opened, name: string): Promise<{ error: unknown; rows: number }> {
    let kept: Pick<TestDatabase, 'insert' | 'execute'> | undefined
    await db.transaction(async (tx) => {
      kept = tx
      await tx.execute(sql`select 1`)
    })
    const error = await kept
      ?.insert(authors)
      .values({ name })
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
    return { error, rows: await db.$count(authors, eq(authors.name, name)) }
  }

  test('tx used after commit is an error, and sends nothing', async () => {
    await using plain = openPlain({ max: 1 })
    await using ours = openOurs({ max: 1 })
    const zombie = await afterCommit(plain, `zombie of ${supported.name}`)
    expect(zombie).toEqual({ error: undefined, rows: 1 })
    const { error, rows } = await afterCommit(ours, `late in ${supported.name}`)
    expect(error).toMatchObject({ cause: { code: 'LEASEHOLD_LEASE_RELEASED' } })
    expect(findLeaseholdError(error)?.code).toBe('LEASEHOLD_LEASE_RELEASED')
    expect(rows).toBe(0)
  })

  test('tx used after a rollback is an error as well, and so is a query that was made before the end', async () => {
    await using opened = openDrizzle(supported, database.url, { max: 1 })
    let made: PromiseLike<unknown> | undefined
    const rolledBack = opened.db.transaction(async (tx) => {
      made = tx.select().from(authors)
      tx.rollback()
    })
    await expect(rolledBack).rejects.toThrow('Rollback')
    const error = await made?.then(String, (thrown: unknown) => thrown)
    expect(findLeaseholdError(error)?.code).toBe('LEASEHOLD_LEASE_RELEASED')
  })

  test('a backend that is killed in a transaction does not end the process', async () => {
    const script = fileURLToPath(new URL('testing/killed-in-a-transaction.ts', import.meta.url))
    const run = (pool: string): Promise<string> =>
      promisify(execFile)(process.execPath, [
        '--import',
        require.resolve('tsx'),
        script,
        pool,
        supported.name,
        database.url,
      ]).then(
        ({ stdout }) => stdout.trim(),
        (error: { stderr: string }) => error.stderr,
      )
    const [plain, ours] = await Promise.all([run('plain'), run('ours')])
    expect(plain).toMatch(/Unhandled 'error' event[^]*terminating connection/)
    expect(ours).toBe('still alive, 1')
  })
})
