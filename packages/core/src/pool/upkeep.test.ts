import { openFakePool, settled } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'

async function lendAndReturn(pool: ReturnType<typeof openFakePool>['pool'], count: number): Promise<void> {
  const leases = await Promise.all(Array.from({ length: count }, () => pool.acquire()))
  for (const lease of leases) lease.release()
}

describe('idle connections', () => {
  it('are closed after idleTimeoutMs, down to min', async () => {
    const { pool, clock } = openFakePool({ min: 1, max: 4, idleTimeoutMs: 1_000, checkAfterIdleMs: Infinity })
    await lendAndReturn(pool, 4)

    clock.advance(999)
    expect(pool.snapshot().connections.idle).toBe(4)
    clock.advance(1)
    await settled()

    expect(pool.snapshot()).toMatchObject({ connections: { idle: 1, total: 1 }, counts: { closed: { idle: 3 } } })
  })

  it('are closed at release with idleTimeoutMs 0: no pooling at all', async () => {
    const { pool, driver } = openFakePool({ idleTimeoutMs: 0, maxUses: 1 })
    await lendAndReturn(pool, 2)
    await settled()
    expect(pool.snapshot().connections.total).toBe(0)
    expect(driver.sockets.total).toBe(0)
  })

  it('stay for ever with idleTimeoutMs Infinity', async () => {
    const { pool, clock } = openFakePool({ idleTimeoutMs: Infinity, maxLifetimeMs: Infinity })
    await lendAndReturn(pool, 2)
    clock.advance(10 ** 9)
    expect(pool.snapshot().connections.idle).toBe(2)
  })

  it('are lent last used first, or in turn with idleOrder fifo', async () => {
    const orderOf = async (idleOrder: 'lifo' | 'fifo'): Promise<number[]> => {
      const { pool } = openFakePool({ idleOrder, max: 3 })
      await lendAndReturn(pool, 3)
      const ids: number[] = []
      for (let count = 0; count < 3; count++) {
        const lease = await pool.acquire()
        ids.push(lease.connectionId)
        lease.release()
      }
      return ids
    }
    expect(await orderOf('lifo')).toEqual([3, 3, 3])
    expect(await orderOf('fifo')).toEqual([1, 2, 3])
  })

  it('are closed after idleTimeoutMs though a keepalive has shown that they live', async () => {
    const { pool, clock } = openFakePool({ max: 2, keepaliveMs: 1_000, idleTimeoutMs: 3_500 })
    ;(await pool.acquire()).release()
    await clock.advanceAsync(3_499)
    expect(pool.snapshot()).toMatchObject({ connections: { idle: 1 } })
    expect(pool.snapshot().counts.checked).toBeGreaterThanOrEqual(3)
    await clock.advanceAsync(1)
    expect(pool.snapshot()).toMatchObject({ connections: { total: 0 }, counts: { closed: { idle: 1 } } })
  })

  it('keep their place among the others through a keepalive', async () => {
    const { pool, clock } = openFakePool({
      max: 2,
      keepaliveMs: 1_000,
      idleTimeoutMs: Infinity,
      checkAfterIdleMs: Infinity,
    })
    const [first, second] = [await pool.acquire(), await pool.acquire()]
    first.release()
    clock.advance(1)
    second.release()
    await clock.advanceAsync(960)
    expect(pool.snapshot().counts.checked).toBe(1)
    expect((await pool.acquire()).client.id).toBe(2)
  })

  it('are kept at min though they die', async () => {
    const { pool, driver, clock } = openFakePool({ min: 2, warmUp: 'eager' })
    await settled()
    expect(pool.snapshot().connections.idle).toBe(2)

    for (const session of driver.sessions) driver.kill(session)
    await settled()
    clock.advance(1_000)
    await settled()

    expect(pool.snapshot()).toMatchObject({ connections: { idle: 2 }, counts: { closed: { lost: 2 } } })
  })

  it('are not dialled for min in a storm while the database is down', async () => {
    const { pool, driver, clock } = openFakePool({ min: 2, warmUp: 'eager' }, {})
    driver.script.always('connect', 'error')
    await settled()
    for (const session of driver.sessions) driver.kill(session)
    await settled()
    const before = driver.countOf('connect')
    await clock.advanceAsync(10_000)
    expect(driver.countOf('connect') - before).toBeLessThanOrEqual(10)
    driver.script.always('connect', 'ok')
    await clock.advanceAsync(30_000)
    expect(pool.snapshot().connections.idle).toBe(2)
  })
})

describe('old connections', () => {
  it('are closed at maxLifetimeMs, up to a tenth earlier so that they do not all go together', async () => {
    const { pool, clock } = openFakePool({ max: 5, maxLifetimeMs: 1_000, idleTimeoutMs: Infinity })
    await lendAndReturn(pool, 5)
    clock.advance(899)
    expect(pool.snapshot().counts.closed['max-lifetime']).toBe(0)
    clock.advance(101)
    await settled()
    expect(pool.snapshot().counts.closed['max-lifetime']).toBe(5)
  })

  it('are not taken from who holds them, but closed when they come back', async () => {
    const { pool, clock } = openFakePool({ maxLifetimeMs: 1_000 })
    const lease = await pool.acquire()
    clock.advance(5_000)
    await lease.client.query('still here')
    lease.release()
    await lease.recycled
    expect(pool.snapshot()).toMatchObject({ connections: { total: 0 }, counts: { closed: { 'max-lifetime': 1 } } })
  })

  it('are closed after maxUses leases', async () => {
    const { pool, driver } = openFakePool({ max: 1, maxUses: 3 })
    for (let count = 0; count < 7; count++) (await pool.acquire()).release()
    expect(driver.sessions).toHaveLength(3)
  })
})

describe('a connection idle for long', () => {
  it('is checked before it is lent, and one just used is not', async () => {
    const { pool, driver, clock } = openFakePool({ checkAfterIdleMs: 500 })
    await lendAndReturn(pool, 1)
    clock.advance(500)
    await lendAndReturn(pool, 1)
    expect(driver.countOf('check')).toBe(0)
    clock.advance(501)
    await lendAndReturn(pool, 1)
    expect(driver.countOf('check')).toBe(1)
  })

  it('is checked also when it was lent meanwhile, but nothing was asked of the database', async () => {
    const { pool, driver, clock } = openFakePool({ checkAfterIdleMs: 500 })
    await pool.use((client) => client.query('select 1'))
    clock.advance(400)
    await lendAndReturn(pool, 1)
    clock.advance(400)
    await lendAndReturn(pool, 1)
    expect(driver.countOf('check')).toBe(1)

    await pool.use((client) => client.query('select 1'))
    clock.advance(400)
    await lendAndReturn(pool, 1)
    expect(driver.countOf('check')).toBe(1)
  })

  it('is checked by the check that it was given, in place of the driver’s', async () => {
    const checked: number[] = []
    const { pool, driver, clock } = openFakePool({
      checkAfterIdleMs: 0,
      check: (client) => {
        checked.push(client.id)
        return client.id === 1 ? Promise.reject(new Error('not this one')) : Promise.resolve()
      },
    })
    await lendAndReturn(pool, 1)
    clock.advance(1)
    const lease = await pool.acquire()

    expect([checked, lease.connectionId, driver.countOf('check')]).toEqual([[1], 2, 0])
  })

  it('is kept alive in the background, one at a time and never at the same moment', async () => {
    const { pool, driver, clock } = openFakePool({
      max: 3,
      keepaliveMs: 1_000,
      idleTimeoutMs: Infinity,
      maxLifetimeMs: Infinity,
    })
    await lendAndReturn(pool, 3)
    const at: number[] = []
    for (let passed = 0; passed < 1_200; passed += 5) {
      const before = driver.countOf('check')
      await clock.advanceAsync(5)
      const checks = driver.countOf('check') - before
      expect(checks).toBeLessThanOrEqual(1)
      if (checks > 0) at.push(passed)
    }
    expect(at).toHaveLength(3)
    expect(at.every((moment) => moment >= 895 && moment <= 1_000)).toBe(true)
  })

  it('is closed and replaced for min when its keepalive fails', async () => {
    const { pool, driver, clock } = openFakePool({
      min: 1,
      warmUp: 'eager',
      keepaliveMs: 1_000,
      idleTimeoutMs: Infinity,
    })
    await settled()
    driver.script.next('check', 'error')
    await clock.advanceAsync(1_001)
    await settled()
    expect(pool.snapshot()).toMatchObject({ connections: { idle: 1 }, counts: { opened: 2 } })
  })
})
