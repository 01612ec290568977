import { collectGarbage, FakeDriver, openFakePool, settled, watched } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import { runInScope } from '../scope/scopes.js'
import { createPool } from './create-pool.js'

describe('warming up', () => {
  it('opens nothing before the first acquire, by default', async () => {
    const { pool, driver } = openFakePool({ min: 2 })
    await settled()
    expect(driver.countOf('connect')).toBe(0)
    await pool.acquire()
    await settled()
    expect(pool.snapshot().connections).toMatchObject({ lent: 1, idle: 1 })
  })

  it('opens min at once when eager, and one when min is 0', async () => {
    for (const [min, idle] of [
      [3, 3],
      [0, 1],
    ] as const) {
      const { pool } = openFakePool({ min, warmUp: 'eager' })
      await settled()
      expect(pool.snapshot().connections.idle).toBe(idle)
      await pool.ready()
    }
  })

  it('makes ready() wait for the first connection when required, and reject with why it could not be opened', async () => {
    const driver = new FakeDriver()
    driver.script.next('connect', 'slow', 'error')

    const ready = watched(createPool(driver, { warmUp: 'required' }).ready())
    await settled()
    expect(ready.outcome).toBe('pending')
    driver.script.open('connect')
    await settled()
    expect(ready.outcome).toBe('fulfilled')

    const refused = watched(createPool(driver, { warmUp: 'required' }).ready())
    await settled()
    expect(refused.outcome).toBe('LEASEHOLD_CONNECT_FAILED')
  })

  it('keeps nobody waiting in ready() when the pool is closed before there was a connection', async () => {
    const driver = new FakeDriver()
    driver.script.next('connect', 'never')
    const pool = createPool(driver, { warmUp: 'required' })
    const ready = watched(pool.ready())
    await settled()

    await pool.close()

    expect(ready.outcome).toBe('LEASEHOLD_POOL_CLOSED')
  })
})

describe('a paused pool', () => {
  it('lets callers wait and serves them in order when it resumes', async () => {
    const { pool } = openFakePool({ max: 1 })
    ;(await pool.acquire()).release()
    pool.pause()
    const [first, second] = [watched(pool.acquire()), watched(pool.acquire())]
    await settled()
    expect([first.outcome, second.outcome, pool.snapshot().state]).toEqual(['pending', 'pending', 'paused'])

    pool.resume()
    await settled()
    expect([first.outcome, second.outcome]).toEqual(['fulfilled', 'pending'])
    first.value.release()
    await settled()
    expect(second.outcome).toBe('fulfilled')
  })

  it('keeps what comes back', async () => {
    const { pool } = openFakePool()
    const lease = await pool.acquire()
    pool.pause()
    lease.release()
    expect(pool.snapshot().connections.idle).toBe(1)
  })
})

describe('reconnect', () => {
  it('replaces idle connections at once, lent ones when they come back, and those being opened when they arrive', async () => {
    const { pool, driver } = openFakePool({ max: 3 })
    const [first, second] = [await pool.acquire(), await pool.acquire()]
    driver.script.next('connect', 'slow')
    const givesUp = new AbortController()
    const third = watched(pool.acquire({ signal: givesUp.signal }))
    givesUp.abort()
    first.release()
    await settled()
    expect(pool.snapshot().connections).toMatchObject({ idle: 1, lent: 1, opening: 1 })

    pool.reconnect()
    driver.script.open('connect')
    second.release()
    await settled()

    expect(third.outcome).toBe('LEASEHOLD_ABORTED')
    expect(pool.snapshot()).toMatchObject({
      generation: 1,
      connections: { total: 0 },
      counts: { closed: { generation: 3 } },
    })
    expect((await pool.acquire()).connectionId).toBe(4)
  })
})

describe('a pool that is made smaller', () => {
  it('closes at once what is idle beyond its new size, those that rest longest, and nothing else', async () => {
    const { pool, driver } = openFakePool({ max: 4 })
    const leases = await Promise.all(Array.from({ length: 4 }, () => pool.acquire()))
    for (const lease of leases.slice(0, 3)) lease.release()

    pool.resize(3)
    await settled()
    expect(pool.snapshot().connections).toMatchObject({ idle: 2, lent: 1, total: 3 })
    pool.resize(2)
    await settled()

    expect(pool.snapshot().connections).toMatchObject({ idle: 1, lent: 1, total: 2 })
    expect(driver.calls.filter(({ method }) => method === 'close').map(({ client }) => client)).toEqual([1, 2])
  })
})

describe('closing a pool', () => {
  it('sends waiting callers away, waits for those who hold, and refuses everybody after', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    const lease = await pool.acquire()
    const waiting = watched(pool.acquire())
    const closed = watched(pool.close())
    await settled()
    expect([waiting.outcome, closed.outcome]).toEqual(['LEASEHOLD_POOL_CLOSED', 'pending'])

    lease.release()
    await settled()
    expect(closed.outcome).toBe('fulfilled')
    expect(driver.sockets.total).toBe(0)
    await expect(pool.acquire()).rejects.toMatchObject({ code: 'LEASEHOLD_POOL_CLOSED' })
    expect(() => pool.tryAcquire()).toThrow('is closed')
  })

  it('gives up the connects that are under way', async () => {
    const { pool, driver } = openFakePool({ max: 2 })
    driver.script.always('connect', 'never')
    const waiting = [watched(pool.acquire()), watched(pool.acquire())]
    const closed = watched(pool.close())
    await settled()

    expect(waiting.map((each) => each.outcome)).toEqual(['LEASEHOLD_POOL_CLOSED', 'LEASEHOLD_POOL_CLOSED'])
    expect([closed.outcome, driver.sockets.total]).toEqual(['fulfilled', 0])
  })

  it('takes back what is still held at its deadline', async () => {
    const { pool, clock } = openFakePool()
    const lease = await pool.acquire()
    const closed = watched(pool.close({ deadlineMs: 1_000 }))
    await clock.advanceAsync(1_000)
    await settled()

    expect(closed.outcome).toBe('fulfilled')
    expect(lease.active).toBe(false)
    expect(pool.snapshot()).toMatchObject({ state: 'closed', connections: { total: 0 } })
  })

  it('is over soon after its deadline, though what is being cleaned never ends', async () => {
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

  it('closes what comes back without cleaning it first', async () => {
    const { pool, driver } = openFakePool({ max: 2 })
    const lease = await pool.acquire()
    await lease.client.query('begin')
    const closing = watched(pool.close())
    lease.release()
    await settled()
    expect([closing.outcome, driver.countOf('reset')]).toEqual(['fulfilled', 0])
  })

  it('leaves nothing behind by which the process keeps it, neither listeners nor who waited with connections of others', async () => {
    const left: Array<WeakRef<object>> = []
    const openAndClose = async (): Promise<void> => {
      const [{ pool }, { pool: other }] = [openFakePool({ max: 1 }), openFakePool({ max: 1 })]
      left.push(new WeakRef(pool), new WeakRef(other))
      let told = 0
      const listener = (): void => void (told += 1)
      left.push(new WeakRef(listener))
      pool.on('close', listener)
      const lease = await pool.acquire()
      const using = watched(other.use(() => pool.acquire()))
      await settled()
      const closed = pool.close()
      lease.release()
      await closed
      expect(using.outcome).toBe('LEASEHOLD_POOL_CLOSED')
      expect(told).toBe(1)
      await other.close()
    }

    await openAndClose()
    await collectGarbage()

    expect(left.map((each) => each.deref())).toEqual([undefined, undefined, undefined])
  })

  it('joins the first call when it is called again', async () => {
    const { pool } = openFakePool()
    expect(pool.close()).toBe(pool.close())
    await pool.close()
  })
})

describe('an observing pool', () => {
  it('refuses, resets and reclaims nothing, and reports what it would have done', async () => {
    const { pool, driver } = openFakePool({ observe: true, max: 1, maxWaiting: 0 })
    const would: string[] = []
    pool.on('observe', (event) => would.push(`${event.would}: ${event.why}`))

    const lease = await runInScope({ label: 'request' }, () => pool.acquire())
    expect(lease.active).toBe(true)
    const waiting = watched(pool.acquire())
    await lease.client.query('begin')
    lease.release()
    await settled()
    expect(waiting.outcome).toBe('fulfilled')
    expect(driver.countOf('reset')).toBe(0)
    expect(would).toEqual([
      'reclaim: left over when its scope closed',
      'refuse: maxWaiting is 0 and 0 wait',
      'reset: transaction open at release',
    ])
  })

  it('keeps the sessions on which something was left when it asks them for a sign of life', async () => {
    const { pool, driver, clock } = openFakePool({ observe: true, max: 2, checkAfterIdleMs: 1_000 })
    const leases = [await pool.acquire(), await pool.acquire()]
    await leases[0]?.client.query('set x')
    await leases[1]?.client.query('begin')
    for (const lease of leases) lease.release()
    await clock.advanceAsync(2_000)

    const again = await Promise.all([pool.acquire(), pool.acquire()])

    expect(new Set(again.map(({ connectionId }) => connectionId))).toEqual(new Set([1, 2]))
    expect([driver.countOf('check'), pool.snapshot().counts.closed['check-failed']]).toEqual([2, 0])
  })

  it('gives the session of a scope back, which it took itself, with the last lease that shares it', async () => {
    const { pool } = openFakePool({ observe: true, mode: 'session', max: 1 })
    await runInScope({ label: 'orderly' }, () => pool.use((client) => client.query('select 1')))
    expect(pool.snapshot().holders).toEqual([])

    const left = await runInScope({ label: 'left one' }, async () => {
      await pool.use((client) => client.query('select 1'))
      return pool.acquire()
    })
    expect([left.active, pool.snapshot().holders.length]).toEqual([true, 1])
    left.release()
    expect(pool.snapshot().holders).toEqual([])
  })
})

describe('a snapshot', () => {
  it('is one plain object that can be sent anywhere, without literals', async () => {
    const { pool } = openFakePool({ captureSites: 'always' })
    const lease = await pool.acquire({ label: 'GET /orders' })
    await lease.client.query("select 'secret'")
    const snapshot = pool.snapshot()

    expect(JSON.parse(JSON.stringify(snapshot))).toMatchObject({
      name: 'test',
      driver: 'fake',
      state: 'open',
      connections: { total: 1, lent: 1, peak: 1 },
      waiting: { count: 0, oldestMs: 0 },
      holders: [{ label: 'GET /orders', statement: 'select ?' }],
      counts: { granted: 1, released: 0 },
    })
  })
})

describe('bad input', () => {
  it('is refused at once and costs nothing', async () => {
    const { pool, driver } = openFakePool()
    await expect(pool.acquire({ timeoutMs: -1 })).rejects.toMatchObject({ code: 'LEASEHOLD_INVALID_OPTIONS' })
    expect(() => pool.tryAcquire({ priority: 'urgent' as 'high' })).toThrow("'high' or 'normal' or 'low'")
    expect(() => pool.resize(0)).toThrow('a whole number from 1')
    expect(() => pool.close({ deadlineMs: -5 })).toThrow('deadlineMs')
    await expect(runInScope({ label: '' }, () => 1)).rejects.toMatchObject({ code: 'LEASEHOLD_INVALID_OPTIONS' })
    expect(driver.calls).toEqual([])
  })
})
