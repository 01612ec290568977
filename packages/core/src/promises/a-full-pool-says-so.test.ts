import { openFakePool, settled } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import type { PoolEvents, PoolOptions } from '../index.js'
import type { FakeClient, FakePool } from '@leasehold/testkit'

async function open(
  options: PoolOptions<FakeClient> = {},
): Promise<FakePool & { told: Array<PoolEvents['utilization']> }> {
  const fake = openFakePool({ max: 5, idleTimeoutMs: Infinity, leakAfterMs: Infinity, ...options })
  const told: Array<PoolEvents['utilization']> = []
  fake.pool.on('utilization', (event) => told.push(event))
  return { ...fake, told }
}

describe('that nearly all connections are lent', () => {
  it('is told once it has lasted, with who holds them longest, and told again when it is over', async () => {
    const { pool, clock, told } = await open({ name: 'orders' })
    const leases = []
    for (const label of ['a', 'b', 'c', 'd', 'e']) {
      leases.push(await pool.acquire({ label }))
      await clock.advanceAsync(1)
    }
    await clock.advanceAsync(990)
    expect(told).toEqual([])
    expect(pool.snapshot().utilization).toEqual({ share: 1, level: 'normal', highForMs: 0 })

    await clock.advanceAsync(20)
    expect(told).toMatchObject([{ pool: 'orders', level: 'high', lent: 5, max: 5, lastedMs: undefined }])
    expect(told[0]?.holders.map(({ label }) => label)).toEqual(['a', 'b', 'c'])
    expect(pool.snapshot().utilization).toMatchObject({ share: 1, level: 'high' })

    const { asked } = clock
    await clock.advanceAsync(5_000)
    expect(clock.asked).toBe(asked)
    leases[0]?.release()
    await clock.advanceAsync(500)
    expect(told).toHaveLength(1)
    await clock.advanceAsync(1_000)

    expect(told[1]).toMatchObject({ level: 'normal', lent: 4 })
    expect(told[1]?.lastedMs).toBeGreaterThan(5_900)
    expect(told[1]?.lastedMs).toBeLessThan(6_300)
    expect(pool.snapshot().utilization).toEqual({ share: 0.8, level: 'normal', highForMs: 0 })
    expect(told).toHaveLength(2)
  })

  it('is no news when it has not lasted, nor when most of the time it is not so', async () => {
    const { pool, clock, told } = await open()
    for (let round = 0; round < 20; round += 1) {
      const leases = await Promise.all(Array.from({ length: 5 }, () => pool.acquire()))
      await clock.advanceAsync(500)
      for (const lease of leases) lease.release()
      await clock.advanceAsync(200)
    }

    expect(told).toEqual([])
  })

  it('is news although each is lent but for a moment, and cleaned in between', async () => {
    const { pool, driver, clock, told } = await open({ max: 1, resetTimeoutMs: 100 })
    driver.script.always('reset', 'slow')
    for (let round = 0; round < 30; round += 1) {
      const lease = await pool.acquire()
      await lease.client.query('set x')
      await clock.advanceAsync(25)
      lease.release()
      await clock.advanceAsync(25)
      driver.script.open('reset')
      await settled()
    }

    expect(told).toMatchObject([{ level: 'high' }])
  })

  it('begins and ends with a resize as well, though nobody comes or goes', async () => {
    const { pool, clock, told } = await open()
    await Promise.all([pool.acquire(), pool.acquire()])
    await clock.advanceAsync(2_000)
    expect(told).toEqual([])

    pool.resize(2)
    await clock.advanceAsync(2_000)
    expect(told).toMatchObject([{ level: 'high', lent: 2, max: 2 }])

    pool.resize(5)
    await clock.advanceAsync(2_000)
    expect(told[1]).toMatchObject({ level: 'normal', lent: 2, max: 5 })
  })

  it('is a matter of one’s own share and time, and follows a resize', async () => {
    const { pool, clock, told } = await open({ max: 4, utilization: { above: 0.5, forMs: 50 } })
    await pool.acquire()
    await pool.acquire()
    await clock.advanceAsync(100)
    expect(told).toEqual([])

    pool.resize(3)
    await pool.acquire()
    await clock.advanceAsync(60)
    expect(told).toMatchObject([{ level: 'high', lent: 3, max: 3 }])
  })

  it('is nothing to look for while few are lent, or where it is switched off', async () => {
    // Leaks are looked for at times of their own.
    for (const options of [{}, { utilization: false, max: 1 }] as const) {
      const { pool, clock, told } = await open({ ...options, leaks: 'off' })
      await pool.acquire()
      await settled()
      const { asked } = clock
      await clock.advanceAsync(10_000)

      expect([clock.asked - asked, told]).toEqual([0, []])
    }
  })
})
