import { setTimeout as sleep } from 'node:timers/promises'
import { isLeaseholdError, openScope, runInScope } from '@leasehold/core'
import { createPgPool, type LeasedPgPool } from '@leasehold/pg'
import { usePostgres } from '@leasehold/testkit/postgres'
import pg from 'pg'
import { afterEach, expect, it } from 'vitest'

const database = usePostgres()

const SECONDS = 20
const WORKERS = 40
const KILLS_PER_SECOND = 15
const NAME = 'leasehold-stress'

interface Backend {
  readonly processID: number
  getTransactionStatus(): string | null
}

/** What the workers saw that nobody may ever see. */
class Violations {
  readonly found: string[] = []
  readonly #owned = new Set<number>()

  /** Runs `work` as the owner of the client's backend. */
  async own<R>(client: unknown, work: () => Promise<R>): Promise<R> {
    const { processID } = client as Backend
    const status = (client as Backend).getTransactionStatus()
    if (this.#owned.has(processID)) this.found.push(`backend ${processID} has two owners`)
    if (status === 'T' || status === 'E') this.found.push(`backend ${processID} was lent in a transaction`)
    this.#owned.add(processID)
    try {
      return await work()
    } finally {
      this.#owned.delete(processID)
    }
  }
}

type Deed = (pool: LeasedPgPool, violations: Violations) => Promise<unknown>

/** What callers do, well or badly. Each comes back by itself, with or without an error. */
const DEEDS: Record<string, Deed> = {
  'a lone statement': (pool) => pool.query('select 1'),
  'a statement that fails': (pool) => pool.query('select 1/0'),
  'a statement that takes a while': (pool) => pool.query('select pg_sleep(0.02)'),
  'a transaction': (pool, violations) =>
    pool.use((client) =>
      violations.own(client, async () => {
        await client.query('begin')
        await client.query('insert into kept values (1)')
        await client.query('commit')
      }),
    ),
  'a transaction left open': (pool, violations) =>
    pool.use((client) =>
      violations.own(client, async () => {
        await client.query('begin')
        await client.query('insert into lost values (1)')
      }),
    ),
  'a transaction that fails and is left': (pool, violations) =>
    pool.use((client) =>
      violations.own(client, async () => {
        await client.query('begin')
        await client.query('insert into lost values (1)')
        await client.query('select 1/0')
      }),
    ),
  'a statement that is not awaited': async (pool, violations) => {
    const client = await pool.connect()
    await violations.own(client, async () => {
      client.query('select pg_sleep(0.05)').catch(() => {})
      await Promise.resolve()
    })
    client.release()
  },
  'two releases, and a use after them': async (pool, violations) => {
    const client = await pool.connect()
    try {
      await violations.own(client, () => client.query('select 1'))
    } finally {
      client.release()
      client.release()
    }
    await expect(client.query('select 2')).rejects.toMatchObject({ code: 'LEASEHOLD_LEASE_RELEASED' })
  },
  'a request that forgets': (pool, violations) =>
    runInScope({ label: 'forgets' }, async () => {
      const client = await pool.connect()
      await violations.own(client, () => client.query('begin'))
    }),
  'a request that is aborted': async (pool) => {
    const scope = openScope({ label: 'aborted' })
    const work = scope.run(() => pool.query('select pg_sleep(0.2)'))
    work.catch(() => {})
    await sleep(5)
    await scope.close()
    await work
  },
  'a caller that gives up': (pool) => pool.leases.acquire({ timeoutMs: 2 }).then((lease) => lease.release()),
}

let pool: LeasedPgPool | undefined
let admin: pg.Client | undefined

afterEach(async () => {
  await pool?.close({ deadlineMs: 1_000 })
  await admin?.end()
})

it('under random kills no connection has two owners, nothing is handed on, and all counters come back to zero', async () => {
  admin = new pg.Client(database.url)
  await admin.connect()
  await admin.query('create table kept (n int); create table lost (n int)')
  pool = createPgPool({
    connectionString: database.url,
    application_name: NAME,
    max: 8,
    leasehold: { closeGraceMs: 50, overflow: 2, acquireTimeoutMs: 2_000, maxUses: 200, warmUp: 'lazy' },
  })
  pool.on('error', () => {})
  const violations = new Violations()
  const until = Date.now() + SECONDS * 1_000
  const names = Object.keys(DEEDS)
  const did: Record<string, number> = {}
  const unexpected: unknown[] = []

  const worker = async (open: LeasedPgPool): Promise<void> => {
    while (Date.now() < until) {
      const name = names[Math.floor(Math.random() * names.length)] ?? ''
      did[name] = (did[name] ?? 0) + 1
      await DEEDS[name]?.(open, violations).catch((error: unknown) => {
        const isExpected =
          isLeaseholdError(error) ||
          error instanceof pg.DatabaseError ||
          /terminat|ECONNRESET|closed|not queryable/i.test(String(error))
        if (!isExpected) unexpected.push(`${name}: ${String(error)}`)
      })
      const { connections } = open.snapshot()
      if (connections.total > 10) violations.found.push(`${connections.total} sockets`)
    }
  }
  const killer = async (by: pg.Client): Promise<void> => {
    while (Date.now() < until) {
      await by.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where application_name = $1 order by random() limit 1`,
        [NAME],
      )
      await sleep(1_000 / KILLS_PER_SECOND)
    }
  }
  await Promise.all([...Array.from({ length: WORKERS }, () => worker(pool as LeasedPgPool)), killer(admin)])

  await expect
    .poll(() => pool?.snapshot().connections, { timeout: 10_000 })
    .toMatchObject({
      lent: 0,
      recycling: 0,
      checking: 0,
      opening: 0,
    })
  expect(violations.found).toEqual([])
  expect(unexpected).toEqual([])
  expect(Object.keys(did).sort()).toEqual(names.sort())
  expect(pool.snapshot().waiting.count).toBe(0)
  const { counts } = pool.snapshot()
  expect(counts.released).toBe(counts.granted)
  expect(counts.closed.lost).toBeGreaterThan(0)

  const { rows: lost } = await admin.query<{ count: string }>('select count(*) from lost')
  expect(lost[0]?.count).toBe('0')
  const { rows: stuck } = await admin.query<{ state: string }>(
    "select state from pg_stat_activity where application_name = $1 and state <> 'idle'",
    [NAME],
  )
  expect(stuck).toEqual([])

  await pool.end()
  expect(pool.snapshot().connections.total).toBe(0)
  await expect
    .poll(async () => {
      const { rows } = await (admin as pg.Client).query(
        'select pid from pg_stat_activity where application_name = $1',
        [NAME],
      )
      return rows.length
    })
    .toBe(0)
})
