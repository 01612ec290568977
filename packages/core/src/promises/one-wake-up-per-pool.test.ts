import { openFakePool, settled, watched } from '@leasehold/testkit'
import { describe, expect, it, vi } from 'vitest'
import { openScope } from '../index.js'

// ARCHITECTURE.md, promises 9 and 10.

describe('a pool has one wake-up', () => {
  it('none before anything is due, and never more than one', async () => {
    const { pool, clock } = openFakePool({ max: 20, keepaliveMs: 7_000, maxConnecting: 20 })
    expect(clock.pending).toBe(0)

    const leases = await Promise.all(Array.from({ length: 20 }, () => pool.acquire()))
    const waiting = Array.from({ length: 500 }, (_, number) => watched(pool.acquire({ timeoutMs: 1_000 + number })))
    expect(clock.pending).toBe(1)
    for (const lease of leases) lease.release()
    await settled()
    for (const { state } of waiting) if (state.is === 'fulfilled') state.value.release()
    expect(clock.pending).toBe(1)
    await clock.advanceAsync(500)
    expect(clock.pending).toBe(1)
  })

  it('that is not armed anew by each lease', async () => {
    const { pool, clock } = openFakePool({ max: 1 })
    for (let turn = 0; turn < 1_000; turn += 1) await pool.use((client) => client.query('select'))

    expect(clock.asked).toBeLessThan(10)
  })

  it('that rests while a check is under way', async () => {
    const { pool, driver, clock } = openFakePool({
      max: 1,
      keepaliveMs: 1_000,
      checkTimeoutMs: 500,
      idleTimeoutMs: Infinity,
    })
    ;(await pool.acquire()).release()
    driver.script.next('check', 'slow')
    await clock.advanceAsync(1_000)
    expect(pool.snapshot().connections.checking).toBe(1)
    const { asked } = clock

    await clock.advanceAsync(400)

    expect(clock.asked - asked).toBeLessThan(5)
  })

  it('that rests while a check is under way and another connection is due', async () => {
    const { pool, driver, clock } = openFakePool({
      max: 2,
      keepaliveMs: 1_000,
      checkTimeoutMs: 500,
      idleTimeoutMs: Infinity,
    })
    for (const lease of await Promise.all([pool.acquire(), pool.acquire()])) lease.release()
    driver.script.next('check', 'slow')
    await clock.advanceAsync(1_000)
    const { asked } = clock
    await clock.advanceAsync(400)
    expect(clock.asked - asked).toBeLessThan(5)
    expect([pool.snapshot().counts.checked, pool.snapshot().connections.checking]).toEqual([1, 1])

    driver.script.open('check')
    await clock.advanceAsync(100)

    expect(pool.snapshot().counts.checked).toBe(2)
  })

  it('that is gone when the pool is closed', async () => {
    const { pool, clock } = openFakePool({ max: 2 })
    await pool.use((client) => client.query('select'))
    await pool.close()

    expect(clock.pending).toBe(0)
  })
})

describe('the wake-up keeps the process alive', () => {
  it('only while somebody waits', async () => {
    const { pool, clock } = openFakePool({ max: 1 })
    const lease = await pool.acquire()
    expect(clock.keepsAlive).toBe(false)

    const second = watched(pool.acquire())
    expect(clock.keepsAlive).toBe(true)
    await clock.advanceAsync(100)
    expect(clock.keepsAlive).toBe(true)

    lease.release()
    await settled()
    expect(clock.keepsAlive).toBe(false)
    second.value.release()
    expect(clock.keepsAlive).toBe(false)
  })

  it('and no longer, when the one that waited gave up, timed out, or was sent away', async () => {
    const { pool, clock } = openFakePool({ max: 1 })
    await pool.acquire()
    const controller = new AbortController()
    watched(pool.acquire({ signal: controller.signal }))
    controller.abort()
    expect(clock.keepsAlive).toBe(false)

    watched(pool.acquire({ timeoutMs: 10 }))
    await clock.advanceAsync(10)
    expect(clock.keepsAlive).toBe(false)

    const scope = openScope({ label: 'a request', clock })
    watched(scope.run(() => pool.acquire()))
    expect(clock.keepsAlive).toBe(true)
    await scope.close()
    expect(clock.keepsAlive).toBe(false)
  })

  it('while a connection is opened for somebody, and not when it is for min', async () => {
    const { pool, driver, clock } = openFakePool({ min: 2, max: 2, maxConnecting: 1, warmUp: 'eager' })
    driver.script.always('connect', 'never')
    await settled()
    ;(await pool.acquire()).discard('no use')
    await settled()
    expect([driver.sockets.opening, clock.keepsAlive]).toEqual([1, false])

    watched(pool.acquire())
    expect(clock.keepsAlive).toBe(true)
  })

  it('while the pool is closing', async () => {
    const { pool, driver, clock } = openFakePool({ max: 1 })
    driver.script.always('close', 'never')
    ;(await pool.acquire()).release()
    const closing = watched(pool.close())
    expect(clock.keepsAlive).toBe(true)

    await clock.advanceAsync(1_000)

    expect([closing.outcome, clock.keepsAlive]).toEqual(['fulfilled', false])
  })
})

describe('time comes from the clock alone', () => {
  it('so that a pool on another clock sets no timer of its own, through all that it does', async () => {
    const timers = [vi.spyOn(globalThis, 'setTimeout'), vi.spyOn(globalThis, 'setInterval'), vi.spyOn(Date, 'now')]
    const { pool, driver, clock } = openFakePool({ max: 2, min: 1, keepaliveMs: 1_000, checkAfterIdleMs: 10 })
    for (const step of ['check', 'reset', 'quiesce', 'close'] as const) driver.script.always(step, 'never')
    const scope = openScope({ label: 'a request', deadlineMs: 50, clock })
    const lease = await scope.run(() => pool.acquire())
    driver.script.next('query', 'never')
    watched(lease.client.query('endless'))
    watched(pool.acquire({ timeoutMs: 20 }))
    const closed = watched(scope.close())
    await clock.advanceAsync(60_000)
    const closing = watched(pool.close({ deadlineMs: 100 }))
    await clock.advanceAsync(60_000)

    expect([closed.outcome, closing.outcome]).toEqual(['fulfilled', 'fulfilled'])
    for (const timer of timers) {
      expect(timer).not.toHaveBeenCalled()
      timer.mockRestore()
    }
  })
})
