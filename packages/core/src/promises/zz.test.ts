import { openFakePool, settled, watched } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'

describe('zz', () => {
  it('a keepalive does not keep a connection from being idle for too long', async () => {
    const { pool, clock } = openFakePool({ max: 2, keepaliveMs: 1_000, idleTimeoutMs: 3_500 })
    ;(await pool.acquire()).release()
    await clock.advanceAsync(3_499)
    expect(pool.snapshot()).toMatchObject({ connections: { idle: 1 } })
    expect(pool.snapshot().counts.checked).toBeGreaterThanOrEqual(3)
    await clock.advanceAsync(1)
    expect(pool.snapshot()).toMatchObject({ connections: { total: 0 }, counts: { closed: { idle: 1 } } })
  })

  it('a keepalive does not change which connection is lent next', async () => {
    const { pool, clock } = openFakePool({ max: 2, keepaliveMs: 1_000, idleTimeoutMs: Infinity, checkAfterIdleMs: Infinity })
    const [first, second] = [await pool.acquire(), await pool.acquire()]
    first.release()
    clock.advance(1)
    second.release()
    await clock.advanceAsync(960)
    expect(pool.snapshot().counts.checked).toBe(1)
    expect((await pool.acquire()).client.id).toBe(2)
  })

  it('a close is over soon after its deadline, though what is being cleaned never ends', async () => {
    const { pool, driver, clock } = openFakePool({ max: 2 })
    const lease = await pool.acquire()
    await lease.client.query('begin')
    driver.script.always('reset', 'never')
    driver.script.always('close', 'never')
    lease.release()
    await settled()
    const closing = watched(pool.close({ deadlineMs: 100 }))
    await clock.advanceAsync(1_100)
    expect(closing.outcome).toBe('fulfilled')
  })

  it('what comes back to a closing pool is closed without being cleaned', async () => {
    const { pool, driver } = openFakePool({ max: 2 })
    const lease = await pool.acquire()
    await lease.client.query('begin')
    const closing = watched(pool.close())
    lease.release()
    await settled()
    expect([closing.outcome, driver.countOf('reset')]).toEqual(['fulfilled', 0])
  })
})
