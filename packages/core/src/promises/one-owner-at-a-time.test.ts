import { minimalDriver, openFakePool, settled, watched } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import { createPool } from '../index.js'

// ARCHITECTURE.md, promise 2.

describe('a connection has one owner', () => {
  it('though its last owner releases again and again', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    const first = await pool.acquire()
    first.release()
    const second = await pool.acquire()

    first.release()
    first.discard('late')
    first.client.release?.()
    const third = watched(pool.acquire())
    await settled()

    expect([second.active, third.outcome]).toEqual([true, 'pending'])
    expect(await second.client.query('select')).toBe('select on 1')
    expect(driver.violations).toEqual([])
  })

  it('and an old handle never reaches the new owner’s session', async () => {
    const { pool } = openFakePool({ max: 1 })
    const first = await pool.acquire()
    const { client } = first
    first.release()
    await pool.acquire({ label: 'the next owner' })

    await expect(client.query('select')).rejects.toMatchObject({
      code: 'LEASEHOLD_LEASE_RELEASED',
      operation: 'query',
      endedBy: 'it was released',
    })
    expect(first.active).toBe(false)
  })

  it('also with a driver that has no handles of its own: the lease gives its client to nobody after release', async () => {
    const pool = createPool(minimalDriver())
    const lease = await pool.acquire()
    lease.release()

    expect(() => lease.client).toThrow(expect.objectContaining({ code: 'LEASEHOLD_LEASE_RELEASED' }))
    await pool.close()
  })

  it('through a thousand leases of fifty callers on five connections', async () => {
    const { pool, driver } = openFakePool({ max: 5 })
    const owners = new Map<number, string>()
    const caller = async (name: string): Promise<void> => {
      for (let turn = 0; turn < 20; turn += 1) {
        await pool.use(async (client) => {
          expect(owners.get(client.id)).toBeUndefined()
          owners.set(client.id, name)
          await client.query('select')
          expect(owners.get(client.id)).toBe(name)
          owners.delete(client.id)
        })
      }
    }

    await Promise.all(Array.from({ length: 50 }, (_, number) => caller(`caller ${number}`)))

    expect(driver.violations).toEqual([])
    expect(pool.snapshot()).toMatchObject({
      connections: { lent: 0, idle: 5, peak: 5 },
      counts: { granted: 1_000, released: 1_000 },
    })
  })
})

describe('a lease', () => {
  it('is given back by using, also when the block throws', async () => {
    const { pool } = openFakePool({ max: 1 })
    const work = async (): Promise<void> => {
      using lease = await pool.acquire()
      await lease.client.query('select')
      throw new Error('of the work')
    }

    await expect(work()).rejects.toThrow('of the work')

    expect(pool.snapshot().connections).toMatchObject({ lent: 0, idle: 1 })
  })

  it('is given back and cleaned by await using', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    {
      await using lease = await pool.acquire()
      await lease.client.query('begin')
    }

    expect(driver.countOf('reset')).toBe(1)
    expect(pool.snapshot().connections).toMatchObject({ lent: 0, idle: 1, recycling: 0 })
  })

  it('is given back by use, whatever the work does, and use returns what the work returned', async () => {
    const { pool } = openFakePool({ max: 1 })

    expect(await pool.use((client) => client.query('select'))).toBe('select on 1')
    await expect(pool.use((client) => client.query('fail'))).rejects.toThrow('the statement failed')
    await expect(
      pool.use(() => {
        throw new Error('of the work')
      }),
    ).rejects.toThrow('of the work')

    await settled()
    expect(pool.snapshot().connections).toMatchObject({ lent: 0, idle: 1 })
  })

  it('tells when its connection is fit for the next owner, and never rejects', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    driver.script.always('reset', 'slow')
    const lease = await pool.acquire()
    await lease.client.query('begin')
    const recycled = watched(lease.recycled)
    lease.release()
    await settled()
    expect(recycled.outcome).toBe('pending')

    driver.script.fail('reset')
    await settled()

    expect(recycled.outcome).toBe('fulfilled')
    await expect(lease.recycled).resolves.toBeUndefined()
  })

  it('knows how long it is held and how much of that the database worked', async () => {
    const { pool, driver, clock } = openFakePool({ max: 1 })
    const lease = await pool.acquire()
    clock.advance(700)
    driver.script.next('query', 'slow')
    const answer = lease.client.query('select')
    clock.advance(40)
    driver.script.open('query')
    await answer
    clock.advance(72)

    expect([lease.heldMs, lease.busyMs]).toEqual([812, 40])
    lease.release()
    const next = await pool.acquire()
    expect([next.heldMs, next.busyMs]).toEqual([0, 0])
    next.release()
    clock.advance(1_000)
    expect([lease.heldMs, lease.busyMs]).toEqual([812, 40])
    expect(pool.snapshot().time).toEqual({ heldMs: 812, busyMs: 40 })
  })
})
