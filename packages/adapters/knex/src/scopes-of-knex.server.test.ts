import { currentScope, openScope, runInScope } from '@leasehold/core'
import { usePostgres } from '@leasehold/testkit/postgres'
import type { Knex } from 'knex'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { openKnex } from './open-knex.js'

const database = usePostgres()

async function pidOf(db: Knex): Promise<number> {
  const { rows } = await db.raw<{ rows: [{ pid: number }] }>('select pg_backend_pid() as pid')
  return rows[0].pid
}

test('in session mode all queries of a scope run on one connection', async () => {
  await using opened = openKnex(database.url, { max: 4 })
  const { db } = opened
  const pids = await runInScope({ label: 'request', mode: 'session' }, async () => {
    await db.raw(`set application_name = 'mine'`)
    expect((await db.raw('show application_name')).rows).toEqual([{ application_name: 'mine' }])
    const inTransaction = await db.transaction((trx) => pidOf(trx))
    return [inTransaction, ...(await Promise.all(Array.from({ length: 6 }, () => pidOf(db))))]
  })
  expect(new Set(pids).size).toBe(1)
})

test('in transaction mode lone statements spread, and a transaction stays on one connection', async () => {
  await using opened = openKnex(database.url, { min: 4, max: 4, leasehold: { warmUp: 'eager' } })
  const { db, pool } = opened
  // Opened ahead, or on a slow machine the first statements are done before the last connection is there.
  await expect.poll(() => pool.snapshot().connections.idle).toBe(4)
  await runInScope({ label: 'request' }, async () => {
    const slow = Array.from({ length: 4 }, async () => {
      const { rows } = await db.raw<{ rows: [{ pid: number }] }>('select pg_backend_pid() as pid, pg_sleep(0.3)')
      return rows[0].pid
    })
    expect(new Set(await Promise.all(slow)).size).toBe(4)
    const pids = await db.transaction((trx) => Promise.all(Array.from({ length: 4 }, () => pidOf(trx))))
    expect(new Set(pids).size).toBe(1)
  })
})

test('nothing is borrowed before the first query, and nothing is kept after it', async () => {
  await using opened = openKnex(database.url)
  const { db, pool } = opened
  await runInScope({ label: 'idle' }, async () => {
    const query = db.raw('select 1')
    await delay(5)
    expect(pool.snapshot().counts.granted).toBe(0)
    await query
    expect(currentScope()?.held).toBe(0)
  })
})

test('a lazy query runs in the scope that awaits it, also when the scope returns it', async () => {
  await using opened = openKnex(database.url)
  const { db, pool } = opened
  const granted: string[] = []
  const off = pool.leases.on('release', ({ label }) => granted.push(label))
  await runInScope({ label: 'returns it' }, () => db.raw('select 1'))
  const made = db.raw('select 2')
  await runInScope({ label: 'awaits it' }, async () => {
    await made
    await db.transaction((trx) => trx.raw('select 3'))
  })
  off()
  expect(granted).toEqual(['returns it', 'awaits it', 'awaits it'])
})

test('what follows a query is in the context of who asked, whoever opened the connection', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  const { db } = opened
  const seen = async (label: string): Promise<Array<string | undefined>> =>
    runInScope({ label }, async () => {
      const labels: Array<string | undefined> = []
      const note = (): void => void labels.push(currentScope()?.label)
      await db.raw('select pg_sleep(0.01)').then(note)
      await db.raw('select 1').on('query-response', note)
      await db.transaction(async (trx) => {
        note()
        await trx.raw('select 1').then(note)
      })
      for await (const row of db.raw('select 1').stream().on('data', note)) void row
      return labels
    })
  const labels = ['a', 'b', 'c']
  const all = await Promise.all(labels.map((label) => seen(label)))
  expect(all).toEqual(labels.map((label) => [label, label, label, label, label]))
})

test('a query after its scope has closed gets a lease of its own, and is reported', async () => {
  await using opened = openKnex(database.url)
  const { db, pool } = opened
  const late = vi.fn<(event: object) => void>()
  const off = pool.leases.on('late-acquire', late)
  const scope = openScope({ label: 'over' })
  const afterwards = scope.bind(() => db.raw('select 1 as one').then(({ rows }: { rows: unknown }) => rows))
  await scope.close()
  expect(await afterwards()).toEqual([{ one: 1 }])
  expect(late).toHaveBeenCalledWith(expect.objectContaining({ label: 'over' }))
  off()
})

test('a query after its scope has closed is refused if the pool says so', async () => {
  await using opened = openKnex(database.url, { leasehold: { lateAcquire: 'refuse' } })
  const scope = openScope({ label: 'over' })
  await scope.close()
  await expect(scope.run(() => opened.db.raw('select 1').then(String))).rejects.toMatchObject({
    code: 'LEASEHOLD_SCOPE_CLOSED',
  })
})

test('a scope that ends sends its waiting queries away', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  const { db } = opened
  const trx = await db.transaction()
  const signal = AbortSignal.timeout(30)
  await expect(runInScope({ label: 'gone', signal }, () => db.raw('select 1'))).rejects.toMatchObject({
    code: 'LEASEHOLD_ABORTED',
  })
  await trx.rollback()
})

test('a scope whose deadline passes gets a KnexTimeoutError', async () => {
  await using opened = openKnex(database.url, { max: 1 })
  const trx = await opened.db.transaction()
  await expect(runInScope({ label: 'late', deadlineMs: 30 }, () => opened.db.raw('select 1'))).rejects.toMatchObject({
    name: 'KnexTimeoutError',
    code: 'LEASEHOLD_ACQUIRE_TIMEOUT',
  })
  await trx.rollback()
})

/** A busy machine may take its time to open a connection. */
const PATIENT_DIAL = { acquireTimeoutMs: 50, connectTimeoutMs: 5_000 }

test('a caller that has gone while it waited is not worth a warning, one that waited in vain is', async () => {
  const warned: string[] = []
  const log = { warn: (message: string) => warned.push(message), error() {} }
  await using opened = openKnex(database.url, { max: 1, leasehold: PATIENT_DIAL }, { log })
  const held = await opened.pool.acquire({ timeoutMs: 5_000 })

  const scope = openScope({ label: 'gone' })
  const waiting = scope.run(() => opened.db.raw('select 1').then(String))
  void scope.close()
  await expect(waiting).rejects.toMatchObject({ code: 'LEASEHOLD_SCOPE_CLOSED' })
  expect(warned).toEqual([])

  await expect(opened.db.raw('select 1')).rejects.toMatchObject({ code: 'LEASEHOLD_ACQUIRE_TIMEOUT' })
  expect(warned).toHaveLength(1)
  held.release()
})
