import { currentScope, findLeaseholdError, openScope, runInScope } from '@leasehold/core'
import { Gate } from '@leasehold/testkit'
import { useClient, usePostgres } from '@leasehold/testkit/postgres'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { openDrizzle, type OpenedDrizzle, type TestDatabase } from './testing/open-drizzle.js'
import { SUPPORTED_DRIZZLES, TABLES } from './testing/supported-drizzles.js'

const database = usePostgres()

useClient(database, TABLES)

describe.each(SUPPORTED_DRIZZLES)('Drizzle $name', (supported) => {
  const { sql, authors } = supported
  const open = (options?: Parameters<typeof openDrizzle>[2]): OpenedDrizzle =>
    openDrizzle(supported, database.url, options)

  async function pidOf(db: Pick<TestDatabase, 'execute'>): Promise<number> {
    const { rows } = await db.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`)
    return rows[0]?.pid ?? 0
  }

  test('in session mode all queries of a scope run on one connection', async () => {
    await using opened = open({ max: 4 })
    const { db } = opened
    const pids = await runInScope({ label: 'request', mode: 'session' }, async () => {
      await db.execute(sql`set application_name = 'mine'`)
      expect((await db.execute(sql`show application_name`)).rows).toEqual([{ application_name: 'mine' }])
      const inTransaction = await db.transaction((tx) => pidOf(tx))
      return [inTransaction, ...(await Promise.all(Array.from({ length: 6 }, () => pidOf(db))))]
    })
    expect(new Set(pids).size).toBe(1)
  })

  test('in transaction mode lone statements spread, and a transaction stays on one connection', async () => {
    await using opened = open({ min: 4, max: 4, leasehold: { warmUp: 'eager' } })
    const { db, pool } = opened
    await expect.poll(() => pool.snapshot().connections.idle).toBe(4)
    await runInScope({ label: 'request' }, async () => {
      const slow = Array.from({ length: 4 }, async () => {
        const { rows } = await db.execute<{ pid: number }>(sql`select pg_backend_pid() as pid, pg_sleep(0.3)`)
        return rows[0]?.pid
      })
      expect(new Set(await Promise.all(slow)).size).toBe(4)
      const pids = await db.transaction((tx) => Promise.all(Array.from({ length: 4 }, () => pidOf(tx))))
      expect(new Set(pids).size).toBe(1)
    })
  })

  test('in statement mode a transaction is refused, and its callback never runs', async () => {
    await using opened = open({ max: 1, leasehold: { mode: 'statement' } })
    const work = vi.fn<() => Promise<void>>(async () => {})
    const error: unknown = await opened.db.transaction(work).catch((thrown: unknown) => thrown)
    expect(findLeaseholdError(error)?.code).toBe('LEASEHOLD_MODE_VIOLATION')
    expect(work).not.toHaveBeenCalled()
    expect(await pidOf(opened.db)).toBeGreaterThan(0)
  })

  test('nothing is borrowed before the first query, and nothing is kept after it', async () => {
    await using opened = open()
    const { db, pool } = opened
    await runInScope({ label: 'idle' }, async () => {
      const query = db.select().from(authors)
      await delay(5)
      expect(pool.snapshot().counts.granted).toBe(0)
      await query
      expect(currentScope()?.held).toBe(0)
    })
  })

  test('a lazy query runs in the scope that awaits it, also when the scope returns it', async () => {
    await using opened = open()
    const { db, pool } = opened
    const released: string[] = []
    const off = pool.leases.on('release', ({ label }) => released.push(label))
    await runInScope({ label: 'returns it' }, () => db.select().from(authors))
    const made = db.select().from(authors)
    await runInScope({ label: 'awaits it' }, async () => {
      await made
      await db.query.authors.findMany()
      await db.transaction((tx) => tx.select().from(authors))
    })
    off()
    expect(released).toEqual(['returns it', 'awaits it', 'awaits it', 'awaits it'])
  })

  test('what follows a query is in the context of who asked, whoever opened the connection', async () => {
    await using opened = open({ max: 1 })
    const { db } = opened
    const seen = (label: string): Promise<unknown[]> =>
      runInScope({ label }, async () => {
        const labels: unknown[] = []
        const note = (): void => void labels.push(currentScope()?.label)
        await db.execute(sql`select pg_sleep(0.01)`).then(note)
        await db.select().from(authors).then(note)
        await db.transaction(async (tx) => {
          note()
          await tx.select().from(authors).then(note)
        })
        return labels
      })
    const labels = ['a', 'b', 'c']
    const all = await Promise.all(labels.map((label) => seen(label)))
    expect(all).toEqual(labels.map((label) => [label, label, label, label]))
  })

  test('queries of two scopes that resume in one tick run each in its own', async () => {
    await using opened = open({ max: 4 })
    const { db, pool } = opened
    const released: string[] = []
    const off = pool.leases.on('release', ({ label }) => released.push(label))
    const shared = new Gate()
    const labels = Array.from({ length: 20 }, (_, at) => `request ${at}`)
    const all = labels.map((label) =>
      runInScope({ label }, async () => {
        await shared.promise
        await db.query.authors.findFirst()
        expect(currentScope()?.label).toBe(label)
      }),
    )
    shared.open()
    await Promise.all(all)
    off()
    expect(released.toSorted()).toEqual(labels.toSorted())
  })

  test('a query after its scope has closed gets a lease of its own, and is reported', async () => {
    await using opened = open()
    const { db, pool } = opened
    const late = vi.fn<(event: object) => void>()
    const off = pool.leases.on('late-acquire', late)
    const scope = openScope({ label: 'over' })
    const afterwards = scope.bind(async () => (await db.execute(sql`select 1 as one`)).rows)
    await scope.close()
    expect(await afterwards()).toEqual([{ one: 1 }])
    expect(late).toHaveBeenCalledWith(expect.objectContaining({ label: 'over' }))
    off()
  })

  test('a query after its scope has closed is refused if the pool says so', async () => {
    await using opened = open({ leasehold: { lateAcquire: 'refuse' } })
    const { db } = opened
    const scope = openScope({ label: 'over' })
    await scope.close()
    const late: Array<() => Promise<unknown>> = [
      async () => db.execute(sql`select 1`),
      async () => db.transaction(async () => {}),
    ]
    for (const ask of late) {
      const error: unknown = await scope.run(ask).catch((thrown: unknown) => thrown)
      expect(findLeaseholdError(error)?.code).toBe('LEASEHOLD_SCOPE_CLOSED')
    }
  })

  test('a scope that ends sends its waiting queries away', async () => {
    await using opened = open({ max: 1 })
    const held = await opened.pool.connect()
    const signal = AbortSignal.timeout(30)
    const waiting = runInScope({ label: 'gone', signal }, async () => opened.db.select().from(authors))
    const error: unknown = await waiting.catch((thrown: unknown) => thrown)
    expect(findLeaseholdError(error)?.code).toBe('LEASEHOLD_ABORTED')
    held.release()
  })

  test('a transaction that outlives its scope is rolled back, and its tx is of no use afterwards', async () => {
    await using opened = open({ max: 1, leasehold: { closeGraceMs: 0 } })
    const { db } = opened
    const leaks: string[] = []
    const off = opened.pool.leases.on('leak', ({ kind, label }) => leaks.push(`${kind}: ${label}`))
    const response = new Gate()
    const hanging = await runInScope({ label: 'hangs' }, async () => {
      const inserted = new Gate()
      const transaction = db.transaction(async (tx) => {
        await tx.insert(authors).values({ name: 'never' })
        inserted.open()
        await response.promise
        await tx.insert(authors).values({ name: 'nor this' })
      })
      await inserted.promise
      return { transaction }
    })
    expect(leaks).toEqual(['left-over: hangs'])
    response.open()
    const error: unknown = await hanging.transaction.catch((thrown: unknown) => thrown)
    expect(findLeaseholdError(error)?.code).toBe('LEASEHOLD_LEASE_RELEASED')
    expect(await db.select().from(authors)).toEqual([])
    off()
  })
})
