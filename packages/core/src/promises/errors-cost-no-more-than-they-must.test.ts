import { FakeDriverError, openFakePool, settled, watched } from '@leasehold/testkit'
import { refuseUnhandledErrors } from '@leasehold/testkit/unhandled'
import { describe, expect, it } from 'vitest'

// ARCHITECTURE.md, promise 8.

describe('a query’s own error', () => {
  it('costs no connection', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    for (let turn = 0; turn < 10; turn += 1) {
      await expect(pool.use((client) => client.query('fail'))).rejects.toThrow('the statement failed')
    }
    await settled()

    expect([driver.sockets.opened, driver.countOf('quiesce')]).toEqual([1, 0])
  })
})

it.each([undefined, null, new Error('broken')])(
  'a lease that is discarded closes its connection, for whatever reason: %s',
  async (reason) => {
    const { pool, driver } = openFakePool({ max: 1 })
    const lease = await pool.acquire()
    lease.discard(reason)
    await settled()

    expect([lease.active, driver.sockets.total, pool.snapshot().counts.closed.discarded]).toEqual([false, 0, 1])
    await pool.transaction(async () => {
      const joined = await pool.acquire()
      joined.discard(reason)
    })
    await settled()
    expect([driver.sockets.total, pool.snapshot().counts.closed.discarded]).toEqual([0, 2])
  },
)

describe('a connection’s error', () => {
  refuseUnhandledErrors()

  it('costs that connection only, when it is idle', async () => {
    const { pool, driver } = openFakePool({ max: 2 })
    const [first, second] = [await pool.acquire(), await pool.acquire()]
    const { client } = first
    first.release()
    second.release()

    driver.kill(client)
    await settled()

    expect(pool.snapshot()).toMatchObject({ connections: { idle: 1, total: 1 }, counts: { closed: { lost: 1 } } })
  })

  it('costs that connection only, when it is lent', async () => {
    const { pool, driver } = openFakePool({ max: 2 })
    const [first, second] = [await pool.acquire(), await pool.acquire()]
    driver.kill(first.client)
    expect(first.active).toBe(true)
    await expect(first.client.query('select')).rejects.toThrow('killed')

    first.release()
    await settled()

    expect(await second.client.query('select')).toBe('select on 2')
    expect(pool.snapshot()).toMatchObject({ connections: { lent: 1, total: 1 }, counts: { closed: { lost: 1 } } })
  })

  it('costs that connection only, when it comes twice and from several sides', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    const first = await pool.acquire()
    first.release()
    driver.kill(first.client)
    driver.kill(first.client, new FakeDriverError('again', 'fatal'))
    await settled()

    expect(pool.snapshot().counts.closed.lost).toBe(1)
    expect((await pool.acquire()).client.id).toBe(2)
  })

  it.each(['connect', 'check', 'reset', 'close', 'quiesce'] as const)('in %s never ends the process', async (step) => {
    const { pool, driver, clock } = openFakePool({ max: 2, min: 1, keepaliveMs: 1_000, warmUp: 'required' })
    driver.script.always(step, 'error')
    await settled()
    for (let turn = 0; turn < 3; turn += 1) {
      const lease = watched(pool.acquire())
      await settled()
      if (lease.state.is === 'fulfilled') {
        driver.script.next('query', 'never')
        watched(lease.value.client.query('endless'))
        if (turn === 0) lease.value.discard(new Error('no use'))
        else lease.value.release()
      }
      await clock.advanceAsync(5_000)
    }
    await clock.advanceAsync(60_000)
    const closing = watched(pool.close())
    await clock.advanceAsync(60_000)

    expect(closing.outcome).toBe('fulfilled')
    expect(driver.sockets.total).toBe(0)
  })

  it('that comes after everybody has stopped waiting never ends the process', async () => {
    const { pool, driver, clock } = openFakePool(
      {
        max: 1,
        connectTimeoutMs: 100,
        checkTimeoutMs: 100,
        resetTimeoutMs: 100,
        closeTimeoutMs: 100,
        checkAfterIdleMs: 10,
      },
      { heedsSignals: false },
    )
    driver.script.next('connect', 'slow')
    watched(pool.acquire())
    await clock.advanceAsync(400)
    driver.script.fail('connect')
    const lease = await pool.acquire()
    await lease.client.query('begin')
    driver.script.next('reset', 'slow')
    driver.script.next('close', 'slow')
    lease.release()
    await clock.advanceAsync(300)
    driver.script.fail('reset')
    driver.script.fail('close')
    ;(await pool.acquire()).release()
    clock.advance(11)
    driver.script.next('check', 'slow')
    watched(pool.acquire())
    await clock.advanceAsync(300)
    driver.script.fail('check')
    await settled()

    expect(pool.snapshot().connections).toMatchObject({ total: 1, lent: 1 })
  })

  it('of a connect is told with what it means, and with the driver’s own error as its cause', async () => {
    const { pool, driver } = openFakePool()
    const cause = new FakeDriverError('password authentication failed', 'denied')
    driver.script.next('connect', cause)

    await expect(pool.acquire()).rejects.toMatchObject({
      code: 'LEASEHOLD_CONNECT_FAILED',
      phase: 'connect',
      kind: 'denied',
      timedOut: false,
      statusCode: 503,
      cause,
    })
  })

  it('of a connect that is never answered says so', async () => {
    const { pool, driver, clock } = openFakePool({ connectTimeoutMs: 300 })
    driver.script.always('connect', 'never')
    const waiting = watched(pool.acquire())

    await clock.advanceAsync(300)

    expect(waiting.state).toMatchObject({ error: { code: 'LEASEHOLD_CONNECT_FAILED', timedOut: true, afterMs: 300 } })
    expect(driver.sockets.total).toBe(0)
  })
})
