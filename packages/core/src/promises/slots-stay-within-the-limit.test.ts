import { openFakePool, settled, watched } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'

// ARCHITECTURE.md, promise 1. The sweep over every cancellation is in cancellation-sweep.test.ts.

describe('sockets of a pool never exceed max + overflow', () => {
  it('under a burst of callers', async () => {
    const { pool, driver } = openFakePool({ max: 3, overflow: 2, maxConnecting: Infinity })
    driver.script.always('connect', 'slow')
    const asked = Array.from({ length: 50 }, () => watched(pool.acquire()))
    expect(driver.sockets.total).toBe(5)

    driver.script.openAll()
    await settled()

    expect(asked.filter((each) => each.outcome === 'fulfilled')).toHaveLength(5)
    expect(pool.snapshot()).toMatchObject({ connections: { lent: 5, total: 5, peak: 5 }, waiting: { count: 45 } })
  })

  it('while a connection says a long farewell: its slot is free only when its socket is gone', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    driver.script.always('close', 'slow')
    const first = await pool.acquire()
    const second = watched(pool.acquire())

    first.discard('no use')
    await settled()
    expect([second.outcome, driver.sockets.total]).toEqual(['pending', 1])

    driver.script.open('close')
    await settled()
    expect([second.value.client.id, driver.sockets.total]).toEqual([2, 1])
  })

  it('while a farewell never ends: after closeTimeoutMs the socket is destroyed, and only then the slot is free', async () => {
    const { pool, driver, clock } = openFakePool({ max: 1, closeTimeoutMs: 700 })
    driver.script.always('close', 'never')
    const first = await pool.acquire()
    const second = watched(pool.acquire())
    first.discard('no use')

    await clock.advanceAsync(699)
    expect([second.outcome, driver.countOf('destroy')]).toEqual(['pending', 0])

    await clock.advanceAsync(1)
    expect([second.outcome, driver.countOf('destroy'), driver.sockets.peak]).toEqual(['fulfilled', 1, 1])
  })

  it('while a connect that was given up has not ended', async () => {
    const { pool, driver, clock } = openFakePool(
      { max: 1, connectTimeoutMs: 100, closeTimeoutMs: 500, acquireTimeoutMs: 10_000 },
      { heedsSignals: false },
    )
    driver.script.next('connect', 'slow')
    const first = watched(pool.acquire())
    const second = watched(pool.acquire())

    await clock.advanceAsync(100)
    expect([first.outcome, second.outcome, driver.sockets.total]).toEqual(['LEASEHOLD_CONNECT_FAILED', 'pending', 1])

    await clock.advanceAsync(350)
    expect([second.outcome, driver.sockets.total]).toEqual(['pending', 1])
    driver.script.open('connect')
    await settled()
    expect([second.outcome, driver.sockets.total, driver.sockets.peak]).toEqual(['fulfilled', 1, 1])
  })

  it('when max is made smaller: what is beyond it closes as it comes back', async () => {
    const { pool, driver } = openFakePool({ max: 4 })
    const leases = await Promise.all([1, 2, 3, 4].map(() => pool.acquire()))
    leases[0]?.release()

    pool.resize(2)
    await settled()
    expect(driver.sockets.total).toBe(3)

    leases[1]?.release()
    await settled()
    expect(driver.sockets.total).toBe(2)

    leases[2]?.release()
    leases[3]?.release()
    await settled()
    expect(pool.snapshot()).toMatchObject({ max: 2, connections: { idle: 2, total: 2 } })
  })

  it('when max is made larger: who waits is served at once', async () => {
    const { pool } = openFakePool({ max: 1 })
    await pool.acquire()
    const second = watched(pool.acquire())

    pool.resize(2)
    await settled()

    expect(second.outcome).toBe('fulfilled')
  })

  it('and what overflow opened beyond max is closed as soon as nobody waits', async () => {
    const { pool, driver } = openFakePool({ max: 1, overflow: 1 })
    const [first, second] = [await pool.acquire(), await pool.acquire()]
    expect(driver.sockets.open).toBe(2)

    second.release()
    await settled()
    expect(driver.sockets.open).toBe(1)
    expect(pool.snapshot().counts.closed.surplus).toBe(1)

    first.release()
    await settled()
    expect(pool.snapshot().connections).toMatchObject({ idle: 1, total: 1 })
  })
})
