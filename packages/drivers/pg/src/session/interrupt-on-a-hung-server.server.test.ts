import { runInScope } from '@leasehold/core'
import { hangUpDuring, usePostgres } from '@leasehold/testkit/postgres'
import { expect, test, vi } from 'vitest'
import { CLOSE_MS, HANGS, RESET_MS, useHungServer } from '../testing/use-hung-server.js'

const server = useHungServer(usePostgres())

test.each(HANGS)(
  'who runs into the deadline on a server that %s knows at once, and the connection is gone after resetTimeoutMs',
  async (_what, fault) => {
    const pool = server.open()
    await pool.query('select 1')
    const slow = runInScope({ label: 'GET /slow', deadlineMs: 200 }, async () => {
      const running = pool.query('select pg_sleep(60)')
      await server.proxy.fault(fault)
      return running
    })
    const since = performance.now()

    await expect(slow).rejects.toMatchObject({ code: 'LEASEHOLD_ABORTED', why: 'deadline' })

    const knownAfterMs = performance.now() - since
    // Told, while the connection has still to be given up.
    expect(pool.snapshot().connections.total).toBe(1)
    await vi.waitFor(() => expect(pool.snapshot().connections.total).toBe(0), { timeout: 5_000, interval: 5 })
    const goneAfterMs = performance.now() - since - knownAfterMs
    expect(goneAfterMs).toBeGreaterThan(RESET_MS - 50)
    expect(goneAfterMs).toBeLessThan(RESET_MS + CLOSE_MS + 2_000)
    expect(pool.snapshot().counts.closed['reset-failed']).toBe(1)
  },
)

test('whoever waits for that connection has a new one as soon as it was given up', async () => {
  const pool = server.open({ queryTimeoutMs: 100 })
  await pool.query('select 1')
  const slow = pool.query('select pg_sleep(60)')
  // This one line alone: the cancel request reaches the server, and others can dial.
  server.proxy.lines[0]?.fault({ is: 'freeze', direction: 'both' })
  await expect(slow).rejects.toMatchObject({ code: 'LEASEHOLD_ABORTED', why: 'query-timeout' })
  const since = performance.now()

  expect((await pool.query<{ n: number }>('select 1 as n')).rows).toEqual([{ n: 1 }])

  expect(performance.now() - since).toBeGreaterThan(RESET_MS - 50)
  expect(performance.now() - since).toBeLessThan(RESET_MS + CLOSE_MS + 2_000)
  expect(pool.snapshot()).toMatchObject({ connections: { total: 1 }, counts: { closed: { 'reset-failed': 1 } } })
})

test('a request whose client hangs up meanwhile is over within its grace and resetTimeoutMs, and holds nothing', async () => {
  const pool = server.open()
  await pool.query('select 1')
  const { error, tookMs } = await hangUpDuring(pool, () => {
    const running = pool.query('select pg_sleep(60)')
    void server.proxy.fault({ is: 'freeze', direction: 'both' })
    return running
  })
  expect(error).toMatchObject({ code: 'LEASEHOLD_ABORTED', why: 'closed' })
  expect(tookMs).toBeLessThan(2_000)
  await vi.waitFor(() => expect(pool.snapshot().connections.total).toBe(0), { timeout: 5_000, interval: 5 })
})
