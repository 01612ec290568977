import { openFakePool, settled, watched } from '@leasehold/testkit'
import { expect, it } from 'vitest'
import { openScope } from '../index.js'

it('a scope of mode session that closes while a statement runs that nobody awaits is closed when that has ended', async () => {
  const { pool, driver, clock } = openFakePool({ max: 1 })
  const scope = openScope({ label: 'GET /', mode: 'session', clock })
  driver.script.next('query', 'slow')
  await scope.run(async () => void (await pool.acquire()).client.query('insert x'))

  const closed = watched(scope.close())
  await settled()
  expect(closed.outcome).toBe('pending')
  driver.script.open('query')
  await clock.advanceAsync(1)

  expect(closed.outcome).toBe('fulfilled')
  expect(pool.snapshot().connections).toMatchObject({ lent: 0, idle: 1 })
})

it('a scope that closes while a statement runs in its transaction is closed when the transaction is over', async () => {
  const { pool, driver, clock } = openFakePool({ max: 1, closeGraceMs: 100 })
  const scope = openScope({ label: 'GET /', clock })
  driver.script.next('query', 'slow')
  const run = scope.run(() => watched(pool.transaction(async () => (await pool.acquire()).client.query('insert x'))))
  await settled()

  const closed = watched(scope.close())
  await clock.advanceAsync(1_000)

  expect([run.outcome, closed.outcome]).toEqual(['LEASEHOLD_TRANSACTION_ENDED', 'fulfilled'])
  expect(pool.snapshot().connections).toMatchObject({ lent: 0 })
})

it('whoever waits for a lease on a shared session to be recycled is told when it has ended', async () => {
  const { pool } = openFakePool({ max: 1 })
  const scope = openScope({ label: 'GET /', mode: 'session' })
  const lease = await scope.run(() => pool.acquire())
  const recycled = watched(lease.recycled)

  lease.release()
  await settled()

  expect(recycled.outcome).toBe('fulfilled')
  await scope.close()
})
