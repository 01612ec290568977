import { openFakePool, settled, watched } from '@leasehold/testkit'
import { expect, it } from 'vitest'
import { openScope } from '../index.js'

it('a transaction that waits for its next attempt when its pool closes is told of it when its pause is over', async () => {
  const { pool, clock } = openFakePool({ max: 1 })
  const run = watched(pool.transaction((client) => client.query('collide'), { retries: 3 }))
  await settled()
  expect(run.outcome).toBe('pending')

  await pool.close()
  await clock.advanceAsync(1_000)

  expect(run.outcome).toBe('LEASEHOLD_POOL_CLOSED')
  expect(clock.pending).toBe(0)
})

it('a transaction whose connection the closing pool has taken back ends at its own deadline, whatever its work does', async () => {
  const { pool, clock } = openFakePool({ max: 1 })
  const run = watched(pool.transaction(() => new Promise(() => {}), { timeoutMs: 1_000 }))
  await settled()
  const closed = pool.close({ deadlineMs: 100 })
  await clock.advanceAsync(100)
  await closed
  expect(run.outcome).toBe('pending')

  await clock.advanceAsync(900)

  expect(run.outcome).toBe('LEASEHOLD_TRANSACTION_ENDED')
  expect(clock.pending).toBe(0)
})

it('a caller that waits for its own settings when its pool closes waits no longer than its timeout', async () => {
  const { pool, clock } = openFakePool({ max: 1 })
  const scope = openScope({ label: 'GET /', clock, settings: () => new Promise(() => {}) })
  const asked = scope.run(() => watched(pool.acquire({ timeoutMs: 1_000 })))
  await settled()
  await pool.close()

  await clock.advanceAsync(1_000)

  expect(asked.outcome).toMatch('LEASEHOLD_')
  expect(clock.pending).toBe(0)
})
