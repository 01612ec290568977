import { Client } from 'pg'
import type * as pg from 'pg'
import Cursor from 'pg-cursor'
import { from as copyFrom } from 'pg-copy-streams'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { Batch } from './batch.js'
import { ObservedSession } from './observed-session.js'
import { play } from './play.js'
import { useTruthServer } from './use-truth-server.js'

const server = useTruthServer()
let session: ObservedSession
let admin: Client

beforeAll(async () => {
  session = await ObservedSession.open(server.url)
  admin = new Client(server.url)
  await admin.connect()
})
afterAll(async () => {
  await admin.end()
  await session.close()
})

/** Lends the session, and takes it back when `work` has come to its end, whatever of it still runs. */
async function expectNothingLeft(
  work: (client: pg.Client, release: () => void) => Promise<void> | void,
): Promise<void> {
  const lease = await session.pool.leases.acquire()
  try {
    await work(lease.client, () => lease.release())
  } finally {
    lease.release()
    await lease.recycled
  }
  expect(await session.leftOver()).toEqual([])
}

const ignore = (): void => {}

/** Somebody holds the advisory lock: the statement that takes it has got so far. */
async function untilLocked(key: number): Promise<void> {
  await vi.waitFor(
    async () => {
      const { rows } = await admin.query(`select from pg_locks where locktype = 'advisory' and objid = $1`, [key])
      expect(rows).toHaveLength(1)
    },
    { timeout: 5_000, interval: 10 },
  )
}

test.each([
  `set work_mem = '5MB'`,
  `select set_config('app.tenant_id', '42', false)`,
  'begin',
  'create temp table made (id integer)',
  'select pg_advisory_lock(10)',
  'select pg_advisory_lock(10), 1/(select 0)',
  'prepare kept as select 1',
  'listen news',
  `set work_mem = '5MB'; select 1/0`,
  'select sets_in_plpgsql()',
])('released before its answer has come: %s', async (text) => {
  await expectNothingLeft((client) => void client.query(text).catch(ignore))
  await expectNothingLeft((client) => void client.query({ text: 'select 1; ' + text }).catch(ignore))
})

test.each([
  `select pg_advisory_lock(10), 1/(select 0)`,
  `set work_mem = '5MB'`,
  `do $$ begin perform pg_advisory_lock(10); raise 'no'; end $$`,
])('released by its own callback, which comes before the server is ready: %s', async (text) => {
  await expectNothingLeft(
    (client, release) =>
      new Promise((resolve) => {
        client.query(text, () => {
          release()
          resolve()
        })
      }),
  )
})

test.each([
  'select pg_advisory_lock(31), pg_sleep(30)',
  'do $$ begin perform pg_advisory_lock(31); perform pg_sleep(30); end $$',
  `select set_config('work_mem', '5MB', false), pg_advisory_lock(31), pg_sleep(30)`,
  `set work_mem = '5MB'; select pg_advisory_lock(31); select pg_sleep(30)`,
  'begin; create temp table made (id integer); select pg_advisory_lock(31); select pg_sleep(30)',
])('released while it runs, and cancelled: %s', async (text) => {
  await expectNothingLeft(async (client) => {
    client.query(text).catch(ignore)
    await untilLocked(31)
  })
  await expectNothingLeft(async (client) => {
    await play(client, 'begin')
    client.query(text).catch(ignore)
    await untilLocked(31)
  })
})

test('released while a procedure runs that has committed', async () => {
  await expectNothingLeft(async (client) => {
    client.query('call sets_commits_and_waits()').catch(ignore)
    await untilLocked(31)
  })
})

test.each([
  `select set_config('work_mem', '5MB', false), * from things`,
  'select pg_advisory_lock(id), * from things order by id',
  'select sets_in_plpgsql(), * from things',
  `select set_config('app.tenant_id', name, false) from things`,
])('released with an open portal: %s', async (text) => {
  await expectNothingLeft(async (client) => void (await client.query(new Cursor(text)).read(1)))
  await expectNothingLeft(async (client) => {
    await play(client, 'begin')
    await client.query(new Cursor(text)).read(2)
  })
  await expectNothingLeft((client) => client.query(new Cursor(text)).read(1, ignore))
})

test('released in the middle of a COPY', async () => {
  for (const begun of ['select 1', 'begin', `set work_mem = '5MB'`]) {
    await expectNothingLeft(async (client) => {
      await play(client, begun)
      const copy = client.query(copyFrom('copy watched from stdin'))
      copy.on('error', ignore)
      await new Promise<void>((resolve) => copy.write('1\n2\n', () => resolve()))
    })
  }
})

test('released with a batch on its way', async () => {
  const statements = [
    `set work_mem = '5MB'`,
    'select pg_advisory_lock(31)',
    'listen news',
    'select pg_sleep(30)',
    'select 1',
  ]
  for (const awaited of [false, true]) {
    await expectNothingLeft(async (client) => {
      const batch = new Batch(statements.map((text) => ({ text })))
      batch.over.catch(ignore)
      client.query(batch as unknown as pg.Submittable)
      if (awaited) await untilLocked(31)
    })
  }
})

test('cancelled from elsewhere while it runs, and released', async () => {
  await expectNothingLeft(async (client) => {
    const running = client.query(`set work_mem = '5MB'; select pg_advisory_lock(31); select pg_sleep(30)`)
    running.catch(ignore)
    await untilLocked(31)
    await admin.query(`select pg_cancel_backend(pid) from pg_locks where locktype = 'advisory' and objid = 31`)
    await expect(running).rejects.toMatchObject({ code: '57014' })
  })
})
