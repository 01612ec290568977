import { setTimeout as sleep } from 'node:timers/promises'
import { findLeaseholdError } from '@leasehold/core'
import { createPgPool, type LeasedPgPool, type LeasedPgPoolOptions } from '@leasehold/pg'
import { type FaultProxy, startFaultProxy } from '@leasehold/testkit/fault-proxy'
import { usePostgres } from '@leasehold/testkit/postgres'
import { afterEach, beforeEach, expect, test } from 'vitest'

const CALLERS = 200
const WAITERS = 500
const BACKOFF_MS = 100
/** A dial is seen a little later than it is made. */
const BLUR_MS = 20

const database = usePostgres()
let proxy: FaultProxy
let pool: LeasedPgPool

beforeEach(async () => {
  const { hostname: host, port } = new URL(database.url)
  proxy = await startFaultProxy({ host, port: Number(port) })
})

afterEach(async () => {
  await pool.close({ deadlineMs: 200 })
  await proxy.close()
})

function open(leasehold: NonNullable<LeasedPgPoolOptions['leasehold']>): LeasedPgPool {
  pool = createPgPool({ connectionString: proxy.through(database.url), max: 20, leasehold })
  pool.on('error', () => {})
  return pool
}

const codeOf = (error: unknown): string | undefined => findLeaseholdError(error)?.code

test('two hundred callers on a dead port are all told, and it sees no more than one dial for each step of the backoff', async () => {
  await proxy.fault({ is: 'close' })
  open({ maxConnecting: 1 })
  const told = await Promise.allSettled(Array.from({ length: CALLERS }, () => pool.query('select 1')))
  expect(told.filter(({ status }) => status === 'rejected')).toHaveLength(CALLERS)
  const pauses = proxy.dials.slice(1).map((at, before) => at - (proxy.dials[before] ?? 0))
  expect(pauses.filter((pause) => pause < BACKOFF_MS - BLUR_MS)).toEqual([])
  // The fifth failure opens the circuit.
  expect(proxy.dials).toHaveLength(5)
})

test('while the circuit is open, callers are told before five milliseconds have passed, and nobody dials for them', async () => {
  await proxy.fault({ is: 'close' })
  open({ breaker: { consecutiveFailures: 1, probeAfterMs: 30_000 } })
  await expect(pool.query('select 1')).rejects.toBeInstanceOf(Error)
  const { length: dialled } = proxy.dials
  for (let caller = 0; caller < CALLERS; caller++) {
    const late = sleep(5).then(() => 'late')
    const told = await Promise.race([pool.query('select 1').catch(codeOf), late])
    expect(told).toBe('LEASEHOLD_CIRCUIT_OPEN')
  }
  expect(proxy.dials).toHaveLength(dialled)
})

test('when the server is back under five hundred waiters, the way to it opens 1 → 2 → 4 → 8, and no further than allowed', async () => {
  await proxy.fault({ is: 'close' })
  open({ maxConnecting: 8, acquireTimeoutMs: 15_000, breaker: { probeAfterMs: 200, maxProbeAfterMs: 400 } })
  const waiters = Promise.all(Array.from({ length: WAITERS }, untilServed))
  await expect.poll(() => pool.snapshot().counts.openFailed, { interval: 5 }).toBeGreaterThan(5)
  await expect.poll(() => pool.snapshot().connections.opening, { interval: 5 }).toBe(0)
  // Long enough for dials of the same moment to be seen at the same time.
  await proxy.fault({ is: 'delay', ms: 15 })
  const seen: Array<{ readonly opening: number; readonly opened: number }> = []
  const sampling = setInterval(() => {
    const { connections, counts } = pool.snapshot()
    seen.push({ opening: connections.opening, opened: counts.opened })
  }, 1)
  await waiters
  clearInterval(sampling)
  const allowed = (opened: number): number => Math.min(8, Math.max(1, 2 ** (opened - 1)))
  expect(seen.filter(({ opening, opened }) => opening > allowed(opened))).toEqual([])
  expect(pool.snapshot().counts.opened).toBe(20)
})

/** As a client does that comes back when it was told to. */
async function untilServed(): Promise<void> {
  for (;;) {
    try {
      await pool.query('select 1')
      return
    } catch (error) {
      await sleep(Math.min(50, findLeaseholdError(error)?.retryAfterMs ?? 50))
    }
  }
}
