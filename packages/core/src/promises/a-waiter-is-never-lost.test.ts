import { openFakePool, settled, watched } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'

// ARCHITECTURE.md, promise 3.

describe('whichever connection comes first serves the oldest waiter', () => {
  it('when one is returned before the one that is being opened', async () => {
    const { pool, driver } = openFakePool({ max: 2 })
    const first = await pool.acquire()
    driver.script.next('connect', 'slow')
    const second = watched(pool.acquire())

    first.release()
    await settled()
    expect(second.value.client.id).toBe(1)

    driver.script.open('connect')
    await settled()
    expect(pool.snapshot().connections).toMatchObject({ lent: 1, idle: 1 })
  })

  it('when one is opened before any is returned', async () => {
    const { pool, driver } = openFakePool({ max: 2 })
    await pool.acquire()
    driver.script.next('connect', 'slow')
    const [second, third] = [watched(pool.acquire()), watched(pool.acquire())]

    driver.script.open('connect')
    await settled()

    expect([second.outcome, third.outcome]).toEqual(['fulfilled', 'pending'])
  })

  it('when one passes its check while another is opened', async () => {
    const { pool, driver, clock } = openFakePool({ max: 2, checkAfterIdleMs: 100 })
    ;(await pool.acquire()).release()
    clock.advance(101)
    driver.script.next('check', 'slow')
    driver.script.next('connect', 'slow')
    const [first, second] = [watched(pool.acquire()), watched(pool.acquire())]

    driver.script.open('connect')
    await settled()
    expect([first.value.client.id, second.outcome]).toEqual([2, 'pending'])

    driver.script.open('check')
    await settled()
    expect(second.value.client.id).toBe(1)
  })

  it('and nobody comes before those who wait', async () => {
    const { pool } = openFakePool({ max: 1 })
    const first = await pool.acquire()
    const second = watched(pool.acquire())
    first.release()

    expect(pool.tryAcquire()).toBeUndefined()
    await settled()
    expect(second.outcome).toBe('fulfilled')
  })
})

describe('a waiter gets another connection', () => {
  it('when the one meant for it fails its check, without waiting for that one’s farewell', async () => {
    const { pool, driver, clock } = openFakePool({ max: 2, checkAfterIdleMs: 100 })
    ;(await pool.acquire()).release()
    clock.advance(101)
    driver.script.next('check', 'error')
    driver.script.next('close', 'never')

    const lease = watched(pool.acquire())
    await settled()

    expect(lease.value.client.id).toBe(2)
    expect(pool.snapshot()).toMatchObject({ counts: { closed: { 'check-failed': 1 } }, connections: { closing: 1 } })
  })

  it('when the check takes too long', async () => {
    const { pool, driver, clock } = openFakePool({ max: 1, checkAfterIdleMs: 100, checkTimeoutMs: 300 })
    ;(await pool.acquire()).release()
    clock.advance(101)
    driver.script.next('check', 'never')
    const lease = watched(pool.acquire())

    await clock.advanceAsync(300)

    expect(lease.value.client.id).toBe(2)
  })

  it('when every idle connection has died unseen: all are checked at the same time', async () => {
    const { pool, driver, clock } = openFakePool({
      max: 4,
      checkAfterIdleMs: 100,
      checkTimeoutMs: 300,
      maxConnecting: 4,
    })
    for (const lease of await Promise.all([1, 2, 3, 4].map(() => pool.acquire()))) lease.release()
    clock.advance(101)
    driver.script.always('check', 'never')
    pool.pause()
    const waiting = [1, 2, 3, 4].map(() => watched(pool.acquire()))
    pool.resume()
    expect(pool.snapshot().connections.checking).toBe(4)

    await clock.advanceAsync(300)

    expect(waiting.map((each) => each.outcome)).toEqual(Array.from({ length: 4 }, () => 'fulfilled'))
  })

  it('within its deadline, though ten idle ones all lead to a server that has silently gone', async () => {
    const { pool, driver, clock } = openFakePool({ max: 10, maxConnecting: 10 })
    for (const lease of await Promise.all(Array.from({ length: 10 }, () => pool.acquire()))) lease.release()
    clock.advance(1_001)
    for (const step of ['check', 'close'] as const) {
      driver.script.next(step, ...Array.from({ length: 10 }, () => 'never' as const))
    }
    const lease = watched(pool.acquire())

    await clock.advanceAsync(4_999)

    expect(lease.outcome).toBe('fulfilled')
    expect(driver.sockets.peak).toBe(10)
  })

  it('when idle ones need a check and there is room besides: idle ones are checked before new ones are opened', async () => {
    const { pool, driver, clock } = openFakePool({ max: 4, checkAfterIdleMs: 100 })
    for (const lease of await Promise.all([1, 2].map(() => pool.acquire()))) lease.release()
    clock.advance(101)
    pool.pause()
    const waiting = [1, 2].map(() => watched(pool.acquire()))

    pool.resume()
    await settled()

    expect(waiting.map((each) => each.outcome)).toEqual(['fulfilled', 'fulfilled'])
    expect(driver.sockets.opened).toBe(2)
  })

  it('when the one before it could not be opened', async () => {
    const { pool, driver, clock } = openFakePool({ max: 1 })
    driver.script.next('connect', 'error')
    const [first, second] = [watched(pool.acquire()), watched(pool.acquire())]
    await clock.advanceAsync(300)

    expect([first.outcome, second.outcome]).toEqual(['LEASEHOLD_CONNECT_FAILED', 'fulfilled'])
  })

  it('when the one before it was never opened, though the driver does not heed its signal', async () => {
    const { pool, driver, clock } = openFakePool(
      { max: 2, maxConnecting: 1, connectTimeoutMs: 100, closeTimeoutMs: 1_000 },
      { heedsSignals: false },
    )
    driver.script.next('connect', 'never')
    const [first, second] = [watched(pool.acquire()), watched(pool.acquire())]

    await clock.advanceAsync(400)

    expect([first.outcome, second.outcome]).toEqual(['LEASEHOLD_CONNECT_FAILED', 'fulfilled'])
  })

  it('when the connect throws instead of rejecting', async () => {
    const { pool, driver, clock } = openFakePool({ max: 1 })
    const connect = driver.connect.bind(driver)
    let calls = 0
    driver.connect = (signal) => {
      calls += 1
      if (calls === 1) throw new Error('at once')
      return connect(signal)
    }
    const [first, second] = [watched(pool.acquire()), watched(pool.acquire())]
    await clock.advanceAsync(300)

    expect([first.outcome, second.outcome]).toEqual(['LEASEHOLD_CONNECT_FAILED', 'fulfilled'])
  })

  it('when its holder discards it, and when it is killed under its holder', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    const first = await pool.acquire()
    const [second, third] = [watched(pool.acquire()), watched(pool.acquire())]

    first.discard('broken')
    await settled()
    driver.kill(second.value.client)
    second.value.release()
    await settled()

    expect(third.value.client.id).toBe(3)
  })

  it('when it was dead on arrival', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    const watch = driver.watch.bind(driver)
    driver.watch = (client, observer) => {
      const stop = watch(client, observer)
      if (client.id === 1) driver.kill(client)
      return stop
    }

    expect((await pool.acquire()).client.id).toBe(2)
    expect(pool.snapshot().counts.closed.lost).toBe(1)
  })

  it('when it cannot be cleaned', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    driver.script.next('reset', 'error')
    const first = await pool.acquire()
    await first.client.query('begin')
    const second = watched(pool.acquire())

    first.release()
    await settled()

    expect(second.value.client.id).toBe(2)
  })

  it('when it is killed while it is idle and the pool is paused', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    const first = await pool.acquire()
    first.release()
    pool.pause()
    const second = watched(pool.acquire())
    driver.kill(first.client)
    await settled()
    pool.resume()
    await settled()

    expect(second.value.client.id).toBe(2)
  })
})

describe('a caller that gives up', () => {
  it('leaves the queue at once, and its turn goes to the next', async () => {
    const { pool } = openFakePool({ max: 1 })
    const first = await pool.acquire()
    const controller = new AbortController()
    const second = watched(pool.acquire({ signal: controller.signal }))
    const third = watched(pool.acquire())

    controller.abort(new Error('the client hung up'))
    expect(pool.snapshot().waiting.count).toBe(1)
    first.release()
    await settled()

    expect([second.outcome, third.outcome]).toEqual(['LEASEHOLD_ABORTED', 'fulfilled'])
    expect(second.state).toMatchObject({ error: { cause: { message: 'the client hung up' } } })
  })

  it('does not waste the connection that is being opened for it', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    driver.script.next('connect', 'slow')
    const controller = new AbortController()
    watched(pool.acquire({ signal: controller.signal }))
    controller.abort()
    driver.script.open('connect')
    await settled()

    expect(pool.snapshot().connections).toMatchObject({ idle: 1 })
    expect((await pool.acquire()).client.id).toBe(1)
    expect(driver.countOf('connect')).toBe(1)
  })

  it('leaves the connection that is being opened for it to the next caller', async () => {
    const { pool, driver } = openFakePool({ max: 5 })
    driver.script.always('connect', 'slow')
    const controller = new AbortController()
    watched(pool.acquire({ signal: controller.signal }))
    controller.abort()
    const next = watched(pool.acquire())
    expect(driver.countOf('connect')).toBe(1)

    driver.script.open('connect')
    await settled()

    expect(next.outcome).toBe('fulfilled')
  })

  it('does not waste the check that is made for it', async () => {
    const { pool, driver, clock } = openFakePool({ max: 1, checkAfterIdleMs: 100 })
    ;(await pool.acquire()).release()
    clock.advance(101)
    driver.script.next('check', 'slow')
    const controller = new AbortController()
    watched(pool.acquire({ signal: controller.signal }))
    controller.abort()
    driver.script.open('check')
    await settled()

    expect(pool.snapshot().connections.idle).toBe(1)
  })

  it('is not served any more, and one that aborts after it was served keeps its lease', async () => {
    const { pool } = openFakePool({ max: 1 })
    const controller = new AbortController()
    const lease = await pool.acquire({ signal: controller.signal })

    controller.abort()

    expect(lease.active).toBe(true)
    await expect(pool.acquire({ signal: controller.signal })).rejects.toMatchObject({ code: 'LEASEHOLD_ABORTED' })
  })
})

describe('the turn among waiters', () => {
  it('goes by priority, and by arrival within one', async () => {
    const { pool } = openFakePool({ max: 1 })
    let lease = await pool.acquire()
    const served: string[] = []
    for (const [who, priority] of [
      ['low 1', 'low'],
      ['normal 1', 'normal'],
      ['high 1', 'high'],
      ['low 2', 'low'],
      ['normal 2', 'normal'],
      ['high 2', 'high'],
    ] as const) {
      watched(
        pool.acquire({ priority }).then((granted) => {
          served.push(who)
          lease = granted
        }),
      )
    }

    for (let turn = 0; turn < 6; turn += 1) {
      lease.release()
      await settled()
    }

    expect(served).toEqual(['high 1', 'high 2', 'normal 1', 'normal 2', 'low 1', 'low 2'])
  })

  it('comes to low priority in the end, however many of high priority keep coming', async () => {
    const { pool } = openFakePool({ max: 1 })
    let lease = await pool.acquire()
    const low = watched(pool.acquire({ priority: 'low' }).then((granted) => (lease = granted)))
    let handOvers = 0
    for (; low.outcome === 'pending' && handOvers < 100; handOvers += 1) {
      watched(pool.acquire({ priority: 'high' }).then((granted) => (lease = granted)))
      lease.release()
      await settled()
    }

    expect(handOvers).toBe(9)
  })

  it('comes to normal and to low priority, both, while high ones keep coming', async () => {
    const { pool } = openFakePool({ max: 1 })
    let lease = await pool.acquire()
    const served: string[] = []
    const ask = (who: 'high' | 'normal' | 'low'): void => {
      watched(
        pool.acquire({ priority: who }).then((granted) => {
          served.push(who)
          lease = granted
        }),
      )
    }
    for (let turn = 0; turn < 60; turn += 1) {
      for (const who of ['high', 'normal', 'low'] as const) ask(who)
      lease.release()
      await settled()
    }

    expect(served.filter((who) => who === 'normal').length).toBeGreaterThanOrEqual(4)
    expect(served.filter((who) => who === 'low').length).toBeGreaterThanOrEqual(4)
    expect(served.filter((who) => who === 'high').length).toBeGreaterThanOrEqual(40)
  })
})

describe('a spike', () => {
  it('opens no more connections than it needs', async () => {
    const { pool, driver, clock } = openFakePool({ max: 50, maxConnecting: 2, acquireTimeoutMs: Infinity })
    driver.script.always('connect', 'slow')
    const work = async (): Promise<void> => {
      const lease = await pool.acquire()
      await new Promise<void>((resolve) => clock.wake(clock.now() + 2, resolve))
      lease.release()
    }
    const all = watched(Promise.all(Array.from({ length: 50 }, work)))
    // A connect takes 150 ms and a query 2: by the time that a third connection is there nobody needs it.
    for (let round = 0; round < 10 && all.outcome === 'pending'; round += 1) {
      await clock.advanceAsync(150)
      driver.script.openAll(['connect'])
      await settled()
    }

    expect(all.outcome).toBe('fulfilled')
    expect(driver.sockets.opened).toBeLessThanOrEqual(4)
  })

  it('opens as many at a time as maxConnecting says', async () => {
    const { pool, driver } = openFakePool({ max: 10, maxConnecting: 3 })
    driver.script.always('connect', 'slow')
    for (let caller = 0; caller < 10; caller += 1) watched(pool.acquire())
    expect(driver.sockets.opening).toBe(3)

    driver.script.open('connect')
    await settled()
    expect([driver.sockets.open, driver.sockets.opening]).toEqual([1, 3])
  })
})

describe('a full queue', () => {
  it('refuses one more at once and names who holds the connections', async () => {
    const { pool } = openFakePool({ max: 1, maxWaiting: 2 })
    await pool.acquire({ label: 'the holder' })
    const waiting = [watched(pool.acquire()), watched(pool.acquire())]

    await expect(pool.acquire()).rejects.toMatchObject({
      code: 'LEASEHOLD_QUEUE_FULL',
      statusCode: 503,
      waiting: 2,
      maxWaiting: 2,
      holders: [{ label: 'the holder' }],
    })
    expect(waiting.map((each) => each.outcome)).toEqual(['pending', 'pending'])
    expect(pool.snapshot().counts.refused).toBe(1)
  })

  it('has no room for anybody with maxWaiting 0, but a caller for whom there is a slot need not wait', async () => {
    const { pool } = openFakePool({ max: 2, maxWaiting: 0 })
    const leases = await Promise.all([pool.acquire(), pool.acquire()])

    await expect(pool.acquire()).rejects.toMatchObject({ code: 'LEASEHOLD_QUEUE_FULL' })
    leases[0].release()
    expect((await pool.acquire()).active).toBe(true)
  })

  it('does not count those for whom a cold pool has slots', async () => {
    const { pool, driver } = openFakePool({ max: 5, maxWaiting: 1, maxConnecting: 2 })
    driver.script.always('connect', 'slow')
    const asked = Array.from({ length: 7 }, () => watched(pool.acquire()))
    await settled()

    expect(asked.map((each) => each.outcome)).toEqual([
      ...Array.from({ length: 6 }, () => 'pending'),
      'LEASEHOLD_QUEUE_FULL',
    ])
  })
})
