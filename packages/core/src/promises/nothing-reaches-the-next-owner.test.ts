import { openFakePool, settled, watched } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import type { ResetEvent } from '../index.js'

// ARCHITECTURE.md, promise 4, as far as core goes. What a wire has to say about it is in the drivers' tests.

describe('of the last owner the next one gets', () => {
  it('no open transaction: it is rolled back and reported', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    const resets: ResetEvent[] = []
    pool.on('reset', (event) => resets.push(event))
    const first = await pool.acquire({ label: 'the forgetful' })
    await first.client.query("begin 'secret'")
    first.release()

    const second = await pool.acquire()

    expect([second.client.id, driver.sessions[0]?.transaction]).toEqual([1, 'idle'])
    expect(resets).toEqual([
      expect.objectContaining({
        left: 'open transaction',
        label: 'the forgetful',
        statement: 'begin ?',
        error: undefined,
      }),
    ])
    expect(pool.snapshot().counts.reset['open transaction']).toBe(1)
    expect(driver.violations).toEqual([])
  })

  it('no failed transaction', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    const first = await pool.acquire()
    await first.client.query('begin')
    await first.client.query('fail').catch(() => {})
    first.release()

    expect((await pool.acquire()).client.id).toBe(1)
    expect(pool.snapshot().counts.reset['failed transaction']).toBe(1)
    expect(driver.violations).toEqual([])
  })

  it('no running statement: it is ended first, and its own owner learns of it', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    const first = await pool.acquire()
    driver.script.next('query', 'never')
    const running = watched(first.client.query('endless'))
    const second = watched(pool.acquire())
    driver.script.always('quiesce', 'slow')

    first.release()
    await settled()
    expect([second.outcome, running.outcome]).toEqual(['pending', 'pending'])

    driver.script.open('quiesce')
    await settled()
    expect([second.value.client.id, running.state.is]).toEqual([1, 'rejected'])
    expect(pool.snapshot().counts.reset['running statement']).toBe(1)
    expect(driver.violations).toEqual([])
  })

  it('no running statement inside a transaction: it is ended and the transaction rolled back', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    const first = await pool.acquire()
    await first.client.query('begin')
    driver.script.next('query', 'never')
    watched(first.client.query('endless'))
    first.release()

    expect((await pool.acquire()).client.id).toBe(1)
    expect([driver.countOf('quiesce'), driver.countOf('reset')]).toEqual([1, 1])
    expect(driver.violations).toEqual([])
  })

  it('no cancel of a statement that had failed already: the server’s "ready" is waited for instead', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    const first = await pool.acquire()
    driver.script.next('ready', 'slow')
    await first.client.query('fail').catch(() => first.release())
    const second = watched(pool.acquire())
    await settled()
    expect(second.outcome).toBe('pending')

    driver.script.open('ready')
    await settled()

    expect([second.value.client.id, driver.countOf('quiesce'), driver.countOf('reset')]).toEqual([1, 0, 0])
    expect(pool.snapshot().counts.reset).toEqual({
      'open transaction': 0,
      'failed transaction': 0,
      'running statement': 0,
      'session state': 0,
    })
  })

  it('no round trip, when there is nothing to clean', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    await pool.use((client) => client.query('select'))
    await pool.use((client) => client.query('select'))

    expect(driver.calls.map((call) => call.method)).toEqual(['connect', 'watch', 'lend', 'lend'])
  })
})

describe('a connection is closed instead of lent again', () => {
  it.each([
    ['its reset fails', 'error'],
    ['its reset does not end within resetTimeoutMs', 'never'],
  ] as const)('when %s', async (_, outcome) => {
    const { pool, driver, clock } = openFakePool({ max: 1, resetTimeoutMs: 200 })
    const resets: ResetEvent[] = []
    pool.on('reset', (event) => resets.push(event))
    driver.script.next('reset', outcome)
    const first = await pool.acquire({ label: 'the last owner' })
    await first.client.query('begin')
    const second = watched(pool.acquire())
    first.release()

    await clock.advanceAsync(200)

    expect(second.value.client.id).toBe(2)
    expect(pool.snapshot().counts.closed['reset-failed']).toBe(1)
    expect(resets[0]?.error).toMatchObject({ code: 'LEASEHOLD_RESET_FAILED', label: 'the last owner', phase: 'reset' })
  })

  it.each([
    ['its statement cannot be ended', 'error'],
    ['its statement is not ended within resetTimeoutMs', 'never'],
  ] as const)('when %s', async (_, outcome) => {
    const { pool, driver, clock } = openFakePool({ max: 1, resetTimeoutMs: 200 })
    driver.script.next('query', 'never')
    driver.script.next('quiesce', outcome)
    const first = await pool.acquire()
    watched(first.client.query('endless'))
    const second = watched(pool.acquire())
    first.release()

    await clock.advanceAsync(200)

    expect(second.value.client.id).toBe(2)
  })

  it('when a statement runs and the driver cannot end statements', async () => {
    const { pool, driver } = openFakePool({ max: 1 }, { without: ['quiesce'] })
    driver.script.next('query', 'never')
    const first = await pool.acquire()
    watched(first.client.query('endless'))
    first.release()

    expect((await pool.acquire()).client.id).toBe(2)
  })

  it('when the driver says that it has reset a session and the wire says that it has not', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    driver.reset = () => Promise.resolve()
    const first = await pool.acquire()
    await first.client.query('begin')
    first.release()

    expect((await pool.acquire()).client.id).toBe(2)
    expect(driver.violations).toEqual([])
  })

  it('when the server’s "ready" after a failed statement does not come within resetTimeoutMs', async () => {
    const { pool, driver, clock } = openFakePool({ max: 1, resetTimeoutMs: 200 })
    driver.script.next('ready', 'never')
    const first = await pool.acquire()
    await first.client.query('fail').catch(() => {})
    const second = watched(pool.acquire())
    first.release()

    await clock.advanceAsync(200)

    expect(second.value.client.id).toBe(2)
  })

  it('when it dies while it is cleaned', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    driver.script.next('reset', 'slow')
    const first = await pool.acquire()
    await first.client.query('begin')
    const { id } = first.client
    const second = watched(pool.acquire())
    first.release()
    for (const session of driver.sessions) if (session.id === id) driver.kill(session)
    driver.script.open('reset')
    await settled()

    expect(second.value.client.id).toBe(2)
    expect(pool.snapshot().counts.closed.lost).toBe(1)
  })

  it('when its own check leaves something on it', async () => {
    const { pool, clock } = openFakePool({
      max: 1,
      checkAfterIdleMs: 0,
      check: async (client) => {
        await client.query('begin')
      },
    })
    ;(await pool.acquire()).release()
    clock.advance(1)

    expect((await pool.acquire()).client.id).toBe(2)
  })
})
