import { currentScope, runInScope } from '@leasehold/core'
import type { LeasedPgPool } from '@leasehold/pg'
import PgBoss from 'pg-boss'
import { afterEach, expect, test, vi } from 'vitest'
import { useGuestPool } from './use-guest-pool.js'

const guests = useGuestPool('create table mails (recipient text not null)')
const started: PgBoss[] = []

afterEach(async () => {
  // Before the pool is closed: a worker that polls holds a connection now and then.
  await Promise.all(started.splice(0).map((boss) => boss.stop({ graceful: true, wait: true })))
})

/** pg-boss takes anything that runs a statement. Its workers are started here, outside every request. */
async function bossOn(pool: LeasedPgPool, queue: string): Promise<PgBoss> {
  const boss = new PgBoss({ db: { executeSql: (text, values) => pool.query(text, values) }, supervise: false })
  boss.on('error', () => {})
  await boss.start()
  started.push(boss)
  await boss.createQueue(queue)
  return boss
}

async function stateOf(boss: PgBoss, queue: string, id: string): Promise<string | undefined> {
  return (await boss.getJobById(queue, id))?.state
}

test('pg-boss sends, fetches, completes and fails jobs through the pool', async () => {
  const pool = guests.open()
  const boss = await bossOn(pool, 'plain')
  const good = (await boss.send('plain', { to: 'ada' })) ?? ''
  const bad = (await boss.send('plain', { to: 'nobody' }, { retryLimit: 0 })) ?? ''

  const jobs = await boss.fetch<{ to: string }>('plain', { batchSize: 2 })
  await boss.complete('plain', good)
  await boss.fail('plain', bad)

  expect(new Set(jobs.map(({ data }) => data.to))).toEqual(new Set(['ada', 'nobody']))
  expect([await stateOf(boss, 'plain', good), await stateOf(boss, 'plain', bad)]).toEqual(['completed', 'failed'])
})

test('a job that is sent within a transaction is sent if that is committed, and only then', async () => {
  const pool = guests.open()
  const boss = await bossOn(pool, 'transactional')
  const send = async (to: string, end: 'commit' | 'rollback'): Promise<void> => {
    await pool.use(async (client) => {
      await client.query('begin')
      await boss.send('transactional', { to }, { db: { executeSql: (text, values) => client.query(text, values) } })
      await client.query(end)
    })
  }

  await send('ada', 'commit')
  await send('nobody', 'rollback')

  const jobs = await boss.fetch<{ to: string }>('transactional', { batchSize: 5 })
  expect(jobs.map(({ data }) => data.to)).toEqual(['ada'])
})

test('an error of the database reaches who called pg-boss, and keeps the connection', async () => {
  const pool = guests.open({ max: 1 })
  const boss = await bossOn(pool, 'failing')

  await expect(boss.getJobById('failing', 'no uuid')).rejects.toMatchObject({ code: '22P02' })

  await boss.send('failing', {})
  expect(pool.snapshot().counts.opened).toBe(1)
})

test('the queries of a job run in its scope, and pg-boss’s own in none', async () => {
  const pool = guests.open()
  const boss = await bossOn(pool, 'mail')
  const labels: string[] = []
  const release = pool.leases.on('release', ({ label }) => labels.push(label))
  const seen: Array<string | undefined> = []

  const worker = await boss.work<{ to: string }>('mail', ([job]) =>
    runInScope({ label: 'job: mail', deadlineMs: 60_000 }, async () => {
      await pool.query('insert into mails values ($1)', [job?.data.to])
      seen.push(currentScope()?.label)
    }),
  )
  const id = (await boss.send('mail', { to: 'ada' })) ?? ''
  boss.notifyWorker(worker)
  await vi.waitFor(async () => expect(await stateOf(boss, 'mail', id)).toBe('completed'), { timeout: 5_000 })
  release()

  expect(await guests.ask('select recipient from mails')).toEqual([{ recipient: 'ada' }])
  expect(seen).toEqual(['job: mail'])
  expect(labels.filter((label) => label === 'job: mail')).toHaveLength(1)
  expect(labels.length).toBeGreaterThan(2)
})

test('what a job forgets is taken back when it ends: its connection, and its open transaction', async () => {
  const pool = guests.open({ max: 2 })
  const boss = await bossOn(pool, 'forgetful')
  const leaks: unknown[] = []
  pool.leases.on('leak', ({ kind, label }) => leaks.push([kind, label]))

  const worker = await boss.work('forgetful', () =>
    runInScope({ label: 'job: forgetful' }, async () => {
      const client = await pool.connect()
      await client.query('begin')
      await client.query("insert into mails values ('forgotten')")
    }),
  )
  // More of them than the pool has connections.
  const ids = await Promise.all([1, 2, 3, 4].map(async (number) => (await boss.send('forgetful', { number })) ?? ''))
  const states = async (): Promise<unknown> => Promise.all(ids.map((id) => stateOf(boss, 'forgetful', id)))
  await vi.waitFor(
    async () => {
      boss.notifyWorker(worker)
      expect(await states()).toEqual(Array(4).fill('completed'))
    },
    { timeout: 10_000 },
  )

  expect(leaks).toEqual(ids.map(() => ['left-over', 'job: forgetful']))
  expect(await guests.ask("select * from mails where recipient = 'forgotten'")).toEqual([])
})

test('a job that fails gives back what it held, and pg-boss hears of its error', async () => {
  const pool = guests.open({ max: 1 })
  const boss = await bossOn(pool, 'broken')

  const worker = await boss.work('broken', () =>
    runInScope({ label: 'job: broken' }, async () => {
      const client = await pool.connect()
      await client.query('select 1 / 0')
    }),
  )
  const id = (await boss.send('broken', {}, { retryLimit: 0 })) ?? ''
  boss.notifyWorker(worker)

  await vi.waitFor(async () => expect(await stateOf(boss, 'broken', id)).toBe('failed'), { timeout: 5_000 })
  expect((await boss.getJobById('broken', id))?.output).toMatchObject({ message: 'division by zero' })
  expect(pool.snapshot().counts).toMatchObject({ opened: 1, leaks: { 'left-over': 1 } })
})
