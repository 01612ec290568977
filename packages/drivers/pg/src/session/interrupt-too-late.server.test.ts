import { type FaultProxy, startFaultProxy } from '@leasehold/testkit/fault-proxy'
import { usePostgres } from '@leasehold/testkit/postgres'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { usePools } from '../testing/leased-pool.js'

const INSERT = 'insert into notes values (1)'
const database = usePostgres()
const poolOf = usePools(database)
let admin: Client
let proxy: FaultProxy

beforeAll(async () => {
  admin = new Client(database.url)
  await admin.connect()
  await admin.query('create table notes (id int)')
})

beforeEach(async () => {
  await admin.query('truncate notes')
  const { hostname: host, port } = new URL(database.url)
  proxy = await startFaultProxy({ host, port: Number(port) })
})

afterEach(() => proxy.close())

afterAll(() => admin.end())

const stored = async (): Promise<number> => (await admin.query('select from notes')).rows.length

/** The answer to what is sent stays on its way, though the server is done with it, until it was given up. */
async function answerLate(send: () => Promise<unknown>): Promise<unknown> {
  await proxy.fault({ is: 'freeze', direction: 'to-client' })
  const failure = await send().then(
    () => undefined,
    (error: unknown) => error,
  )
  await proxy.heal()
  return failure
}

// An error that says so lets nobody store a part of the transaction, whichever of the two was quicker on the server.
describe('a statement that had ended when its time was up, in a transaction', () => {
  it('is rolled back with the transaction, as one that was cancelled', async () => {
    const pool = poolOf({ connectionString: proxy.through(database.url), max: 1, leasehold: { queryTimeoutMs: 200 } })
    const client = await pool.connect()
    await client.query('begin')

    expect(await answerLate(() => client.query(INSERT))).toMatchObject({
      code: 'LEASEHOLD_ABORTED',
      inTransaction: true,
    })

    await expect(client.query('select 1')).rejects.toMatchObject({ code: '25P02' })
    expect((await client.query('commit')).command).toBe('ROLLBACK')
    expect(await stored()).toBe(0)
    client.release()
    await pool.query(INSERT)
    expect(await stored()).toBe(1)
    expect(pool.snapshot().counts.opened).toBe(1)
  })

  it('is rolled back also when its caller commits at once, before the cancel is done', async () => {
    const pool = poolOf({ connectionString: proxy.through(database.url), max: 1, leasehold: { queryTimeoutMs: 200 } })
    const client = await pool.connect()
    await client.query('begin')
    let committing: Promise<{ readonly command: string }> | undefined

    await answerLate(() =>
      client.query(INSERT).catch(() => {
        committing = client.query('commit')
      }),
    )

    expect((await committing)?.command).toBe('ROLLBACK')
    expect(await stored()).toBe(0)
    client.release()
  })

  it('takes nothing with it but the savepoint that it ran in', async () => {
    const pool = poolOf({ connectionString: proxy.through(database.url), max: 1, leasehold: { queryTimeoutMs: 200 } })
    const client = await pool.connect()
    await client.query('begin')
    await client.query('insert into notes values (2)')
    await client.query('savepoint part')

    await answerLate(() => client.query(INSERT))

    await client.query('rollback to savepoint part')
    expect((await client.query('commit')).command).toBe('COMMIT')
    expect((await admin.query('select id from notes')).rows).toEqual([{ id: 2 }])
    client.release()
  })

  it('is not stored by pool.transaction, whose work has caught its error', async () => {
    const pool = poolOf({ connectionString: proxy.through(database.url), max: 1, leasehold: { queryTimeoutMs: 200 } })

    const run = pool.transaction(async (client) => {
      await client.query('select 1')
      await answerLate(() => client.query(INSERT))
    })

    await expect(run).rejects.toMatchObject({ code: 'LEASEHOLD_TRANSACTION_CONFLICT' })
    expect(await stored()).toBe(0)
  })

  it('is what the reports on its lease tell of', async () => {
    const pool = poolOf({ connectionString: proxy.through(database.url), max: 1, leasehold: { queryTimeoutMs: 200 } })
    const client = await pool.connect()
    await client.query('begin')

    await answerLate(() => client.query(INSERT))

    const undone = `select from pg_stat_activity where state = 'idle in transaction (aborted)'`
    await expect.poll(async () => (await admin.query(undone)).rows.length).toBe(1)
    expect(pool.snapshot().holders[0]?.statement).toBe('insert into notes values (?)')
    client.release()
  })
})
