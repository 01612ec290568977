import { runInScope } from '@leasehold/core'
import { type Fault, type FaultProxy, startFaultProxy } from '@leasehold/testkit/fault-proxy'
import { hangUpDuring, usePostgres } from '@leasehold/testkit/postgres'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { LeasedPgPool } from '../facade/leased-pg-pool.js'
import { usePools } from '../testing/leased-pool.js'

const RESET_MS = 300
const CLOSE_MS = 100

const database = usePostgres()
const poolOf = usePools(database)
let proxy: FaultProxy

beforeEach(async () => {
  const { hostname: host, port } = new URL(database.url)
  proxy = await startFaultProxy({ host, port: Number(port) })
})
afterEach(() => proxy.close())

const open = (leasehold: object = {}): LeasedPgPool =>
  poolOf({
    connectionString: proxy.through(database.url),
    max: 1,
    leasehold: { resetTimeoutMs: RESET_MS, closeTimeoutMs: CLOSE_MS, closeGraceMs: 50, ...leasehold },
  })

/** What takes a hung server away from its clients: neither it nor a cancel request is answered. */
const HANGS: ReadonlyArray<readonly [string, Fault]> = [
  ['hears nothing and says nothing', { is: 'freeze', direction: 'both' }],
  ['hears all and says nothing', { is: 'freeze', direction: 'to-client' }],
]

test.each(HANGS)(
  'who runs into the deadline on a server that %s knows at once, and the connection is gone after resetTimeoutMs',
  async (_what, fault) => {
    const pool = open()
    await pool.query('select 1')
    const slow = runInScope({ label: 'GET /slow', deadlineMs: 200 }, async () => {
      const running = pool.query('select pg_sleep(60)')
      await proxy.fault(fault)
      return running
    })
    const since = performance.now()

    await expect(slow).rejects.toMatchObject({ code: 'LEASEHOLD_ABORTED', why: 'deadline' })

    const knownAfterMs = performance.now() - since
    expect(knownAfterMs).toBeLessThan(200 + 100)
    await vi.waitFor(() => expect(pool.snapshot().connections.total).toBe(0), { timeout: 5_000, interval: 5 })
    const goneAfterMs = performance.now() - since - knownAfterMs
    expect(goneAfterMs).toBeGreaterThan(RESET_MS - 50)
    expect(goneAfterMs).toBeLessThan(RESET_MS + CLOSE_MS + 200)
    expect(pool.snapshot().counts.closed['reset-failed']).toBe(1)
  },
)

test('whoever waits for that connection has a new one as soon as it was given up', async () => {
  const pool = open({ queryTimeoutMs: 100 })
  await pool.query('select 1')
  const slow = pool.query('select pg_sleep(60)')
  // This one line alone: the cancel request reaches the server, and others can dial.
  proxy.lines[0]?.fault({ is: 'freeze', direction: 'both' })
  await expect(slow).rejects.toMatchObject({ code: 'LEASEHOLD_ABORTED', why: 'query-timeout' })
  const since = performance.now()

  expect((await pool.query<{ n: number }>('select 1 as n')).rows).toEqual([{ n: 1 }])

  expect(performance.now() - since).toBeGreaterThan(RESET_MS - 50)
  expect(performance.now() - since).toBeLessThan(RESET_MS + CLOSE_MS + 500)
  expect(pool.snapshot()).toMatchObject({ connections: { total: 1 }, counts: { closed: { 'reset-failed': 1 } } })
})

test('a request whose client hangs up meanwhile is over within its grace and resetTimeoutMs, and holds nothing', async () => {
  const pool = open()
  await pool.query('select 1')
  const { error, tookMs } = await hangUpDuring(pool, () => {
    const running = pool.query('select pg_sleep(60)')
    void proxy.fault({ is: 'freeze', direction: 'both' })
    return running
  })
  expect(error).toMatchObject({ code: 'LEASEHOLD_ABORTED', why: 'closed' })
  expect(tookMs).toBeLessThan(100)
  await vi.waitFor(() => expect(pool.snapshot().connections.total).toBe(0), { timeout: 5_000, interval: 5 })
})
