import { setTimeout as sleep } from 'node:timers/promises'
import { findLeaseholdError } from '@leasehold/core'
import { createPgPool, type LeasedPgPool } from '@leasehold/pg'
import { type FaultProxy, startFaultProxy } from '@leasehold/testkit/fault-proxy'
import { usePostgres } from '@leasehold/testkit/postgres'
import { afterEach, beforeEach, expect, test } from 'vitest'

const CALLERS = 200
const WAITERS = 500
const MAX_CONNECTING = 8

const database = usePostgres()
let proxy: FaultProxy
let pool: LeasedPgPool

beforeEach(async () => {
  const { hostname: host, port } = new URL(database.url)
  proxy = await startFaultProxy({ host, port: Number(port) })
  pool = createPgPool({
    connectionString: proxy.through(database.url),
    max: 20,
    leasehold: { maxConnecting: MAX_CONNECTING, acquireTimeoutMs: 10_000 },
  })
  pool.on('error', () => {})
})

afterEach(async () => {
  await pool.close({ deadlineMs: 200 })
  await proxy.close()
})

test('two hundred callers on a dead port are told soon, and the port sees a dial for each step of the backoff', async () => {
  await proxy.fault({ is: 'close' })
  const since = performance.now()
  const told = await Promise.allSettled(Array.from({ length: CALLERS }, () => pool.query('select 1')))
  console.log(
    performance.now() - since,
    proxy.dials.map((at) => at - since),
  )
  expect(told.filter(({ status }) => status === 'rejected')).toHaveLength(CALLERS)
})

test('when the server is back under five hundred waiters, no more of them dial at a time than have been served, plus one', async () => {
  await proxy.fault({ is: 'close' })
  // Long enough that dials of the same moment are seen at the same time.
  let most = 0
  let opened = 0
  const tooMany: string[] = []
  const sampling = setInterval(() => {
    const { connections, counts } = pool.snapshot()
    most = Math.max(most, connections.opening)
    opened = counts.opened
    if (connections.opening > opened + 1) tooMany.push(`${connections.opening} at a time after ${opened}`)
  }, 1)
  const untilServed = async (): Promise<void> => {
    for (;;) {
      try {
        await pool.query('select 1')
        return
      } catch (error) {
        await sleep(Math.min(50, findLeaseholdError(error)?.retryAfterMs ?? 50))
      }
    }
  }
  const waiters = Promise.all(Array.from({ length: WAITERS }, untilServed))
  await sleep(300)
  await proxy.fault({ is: 'delay', ms: 10 })
  await waiters
  clearInterval(sampling)
  console.log(most, opened, tooMany.slice(0, 5))
})
