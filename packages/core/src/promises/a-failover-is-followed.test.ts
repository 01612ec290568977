import { FakeDriverError, openFakePool, settled, watched } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import type { FailoverEvent, Lease, PoolOptions } from '../index.js'

const READ_ONLY = new FakeDriverError('cannot insert in a read-only transaction', 'read-only')

function shutdown(): FakeDriverError {
  const error = new FakeDriverError('terminating connection due to administrator command', 'fatal')
  error.isShutdown = true
  return error
}

type FakePool = ReturnType<typeof openFakePool>

function openPool(options: PoolOptions = {}): FakePool & { readonly told: FailoverEvent[] } {
  const fakes = openFakePool({ max: 4, ...options } as Parameters<typeof openFakePool>[0])
  const told: FailoverEvent[] = []
  fakes.pool.on('failover', (event) => told.push(event))
  return { ...fakes, told }
}

async function refuseWrite(
  { driver }: FakePool,
  lease: Lease<{ query(text: string): Promise<string> }>,
): Promise<void> {
  driver.script.next('query', READ_ONLY)
  await expect(lease.client.query('insert')).rejects.toBe(READ_ONLY)
}

describe('a server that takes no writes any more', () => {
  it('has every connection replaced: idle ones at once, lent ones when they come back', async () => {
    const fakes = openPool()
    const { pool, driver, told } = fakes
    const leases = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()])
    leases[0].release()
    await refuseWrite(fakes, leases[1])
    driver.isReadOnly = true
    leases[1].release()
    await settled()

    expect(told).toEqual([expect.objectContaining({ pool: 'test', why: 'read-only', generation: 1 })])
    expect(pool.snapshot()).toMatchObject({ connections: { lent: 1, total: 1 }, generation: 1 })
    expect(await leases[2].client.query('select')).toMatch(/^select on/)
    leases[2].release()
    await settled()
    expect(pool.snapshot()).toMatchObject({ connections: { total: 0 }, counts: { closed: { generation: 3 } } })
  })

  it('is asked, and only by the connection that saw it when that comes back: nobody waits for the answer', async () => {
    const fakes = openPool()
    const { pool, driver } = fakes
    const lease = await pool.acquire()
    await refuseWrite(fakes, lease)
    expect(driver.countOf('takesWrites')).toBe(0)
    lease.release()
    const other = watched(pool.acquire())
    await settled()

    expect(other.outcome).toBe('fulfilled')
    expect(driver.countOf('takesWrites')).toBe(1)
    expect(driver.violations).toEqual([])
  })

  it('is not followed again and again by a pool that stands before it on purpose', async () => {
    const fakes = openPool()
    const { pool, driver, clock } = fakes
    driver.isReadOnly = true
    for (let second = 0; second < 300; second += 1) {
      const lease = await pool.acquire()
      await refuseWrite(fakes, lease)
      lease.release()
      await clock.advanceAsync(1_000)
    }

    expect(pool.snapshot().generation).toBeLessThanOrEqual(8)
  })

  it('is believed where the driver cannot ask', async () => {
    const fakes = openFakePool({ max: 1 }, { without: ['takesWrites'] })
    const lease = await fakes.pool.acquire()
    await refuseWrite(fakes, lease)
    lease.release()
    await settled()

    expect(fakes.pool.snapshot().generation).toBe(1)
  })

  it('changes nothing in a pool that observes', async () => {
    const fakes = openPool({ observe: true })
    fakes.driver.isReadOnly = true
    const lease = await fakes.pool.acquire()
    await refuseWrite(fakes, lease)
    lease.release()
    await settled()

    expect([fakes.pool.snapshot().generation, fakes.driver.countOf('takesWrites')]).toEqual([0, 0])
  })
})

describe('a transaction that its owner made read-only', () => {
  it('costs no connection: the server takes writes', async () => {
    const fakes = openPool()
    const { pool } = fakes
    const lease = await pool.acquire()
    await lease.client.query('begin')
    await refuseWrite(fakes, lease)
    lease.release()
    await settled()

    expect(pool.snapshot()).toMatchObject({ generation: 0, connections: { idle: 1 } })
    expect((await pool.acquire()).connectionId).toBe(1)
  })
})

describe('a server that shuts down', () => {
  it('has every connection replaced, as soon as a second one was told so', async () => {
    const { pool, driver, told } = openPool()
    const leases = await Promise.all([1, 2, 3, 4].map(() => pool.acquire()))
    leases[3]?.release()
    for (const lease of leases.slice(0, 2)) driver.kill(lease.client, shutdown())
    await settled()

    expect(told).toEqual([expect.objectContaining({ why: 'shutdown', generation: 1 })])
    expect(pool.snapshot().connections).toMatchObject({ idle: 0, lent: 3 })
    for (const lease of leases) lease.release()
    await settled()
    expect(pool.snapshot().connections.total).toBe(0)
  })

  it('is not what the end of a single session means: somebody has killed that one', async () => {
    const { pool, driver, clock, told } = openPool({ idleTimeoutMs: Infinity })
    const leases = await Promise.all([1, 2, 3].map(() => pool.acquire()))
    for (const lease of leases) lease.release()
    for (const lease of leases.slice(0, 2)) {
      driver.kill(driver.sessions[lease.connectionId - 1] as never, shutdown())
      await clock.advanceAsync(2_000)
    }

    expect(told).toEqual([])
    expect(pool.snapshot()).toMatchObject({ generation: 0, connections: { idle: 1 } })
  })

  it('is not what the end of other sessions means', async () => {
    const { pool, driver, told } = openPool()
    const leases = await Promise.all([1, 2, 3].map(() => pool.acquire()))
    for (const lease of leases.slice(0, 2)) driver.kill(lease.client)
    await settled()

    expect([told, pool.snapshot().generation]).toEqual([[], 0])
  })

  it('is not followed where the user calls its farewell something else', async () => {
    const { pool, driver } = openPool({
      classify: (_error, byDriver) => (byDriver === 'fatal' ? 'transient' : undefined),
    })
    const leases = await Promise.all([1, 2, 3].map(() => pool.acquire()))
    for (const lease of leases) driver.kill(lease.client, shutdown())

    expect(pool.snapshot().generation).toBe(0)
  })
})
