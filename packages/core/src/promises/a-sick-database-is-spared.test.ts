import { FakeDriverError, openFakePool, settled, watched } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import { type BreakerEvent, CircuitOpenError } from '../index.js'

// ARCHITECTURE.md, promise 7: while the database is down it sees one probe at a time, never a storm.

const REFUSED = new FakeDriverError('connection refused', 'transient')

type FakePool = ReturnType<typeof openFakePool>

/** Brings the circuit of a pool to open: five attempts fail, one after the other. */
async function trip({ pool, driver, clock }: FakePool): Promise<void> {
  driver.script.always('connect', REFUSED)
  for (let asked = 0; asked < 5; asked += 1) watched(pool.acquire({ timeoutMs: 60_000 }))
  for (let step = 0; step < 1_000; step += 1) {
    await clock.advanceAsync(10)
    if (pool.snapshot().breaker.state === 'open') return
  }
  throw new Error('the circuit did not open')
}

describe('a dead database', () => {
  it('sees one attempt for each pause, of 200 callers, and each caller knows before its deadline', async () => {
    const { pool, driver, clock } = openFakePool({ acquireTimeoutMs: 3_000, breaker: false, backoff: { capMs: 400 } })
    driver.script.always('connect', REFUSED)
    const startedAt: number[] = []
    const connect = driver.connect.bind(driver)
    driver.connect = (signal) => {
      startedAt.push(clock.now())
      return connect(signal)
    }
    const callers = Array.from({ length: 200 }, () => watched(pool.acquire()))

    await clock.advanceAsync(2_999)
    const refused = callers.filter(({ outcome }) => outcome === 'LEASEHOLD_CONNECT_FAILED').length
    await clock.advanceAsync(1)

    // Two begin side by side, before anything is known; from then on one after each pause of at least 100 ms.
    expect(startedAt.slice(0, 2)).toEqual([1_000, 1_000])
    const pauses = startedAt.slice(2).map((at, index) => at - (startedAt[index + 1] ?? 0))
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(100)
    expect(startedAt.length).toBeLessThanOrEqual(31)
    expect(refused).toBe(startedAt.length)
    expect(callers.filter(({ outcome }) => outcome === 'pending')).toEqual([])
    expect(callers.at(-1)?.state).toMatchObject({
      error: { code: 'LEASEHOLD_ACQUIRE_TIMEOUT', phase: 'connect', cause: { cause: REFUSED } },
    })
  })

  it('sees five attempts of 200 callers, and then one probe at a time; the callers are answered at once', async () => {
    const { pool, driver, clock } = openFakePool({ acquireTimeoutMs: 30_000 })
    driver.script.always('connect', REFUSED)
    const callers = Array.from({ length: 200 }, () => watched(pool.acquire()))

    await clock.advanceAsync(5_000)

    const outcomes = callers.map(({ outcome }) => outcome)
    expect(outcomes.filter((outcome) => outcome === 'LEASEHOLD_CONNECT_FAILED')).toHaveLength(5)
    expect(outcomes.filter((outcome) => outcome === 'LEASEHOLD_CIRCUIT_OPEN')).toHaveLength(195)
    const before = driver.countOf('connect')
    await clock.advanceAsync(120_000)
    expect(driver.countOf('connect') - before).toBeLessThanOrEqual(10)
    expect(pool.snapshot().counts.circuitOpen).toBe(195)
  })

  it('answers each of a row of lone callers within the pause, with the driver’s own error, and then at once', async () => {
    const { pool, driver, clock } = openFakePool()
    driver.script.always('connect', REFUSED)
    const outcomes: string[] = []
    for (let caller = 0; caller < 6; caller += 1) {
      const asked = watched(pool.acquire())
      // Each pause is at most three times the last one.
      await clock.advanceAsync(caller === 5 ? 0 : 2_000)
      outcomes.push(asked.outcome)
    }

    expect(outcomes).toEqual([...Array<string>(5).fill('LEASEHOLD_CONNECT_FAILED'), 'LEASEHOLD_CIRCUIT_OPEN'])
  })

  it('is not dialled for min either while the circuit is open', async () => {
    const fakes = openFakePool({ min: 3, idleTimeoutMs: Infinity })
    await trip(fakes)
    const before = fakes.driver.countOf('connect')

    await fakes.clock.advanceAsync(700)
    expect(fakes.driver.countOf('connect')).toBe(before)
    fakes.driver.script.always('connect', 'ok')
    await fakes.clock.advanceAsync(1_000)
    expect(fakes.pool.snapshot().connections.idle).toBe(3)
  })
})

describe('while the circuit is open', () => {
  it('a caller for whom a connection would have to be opened knows at once why, and when to come back', async () => {
    const fakes = openFakePool()
    await trip(fakes)

    const error: unknown = await fakes.pool.acquire().catch((reason: unknown) => reason)

    expect(error).toBeInstanceOf(CircuitOpenError)
    expect(error).toMatchObject({
      code: 'LEASEHOLD_CIRCUIT_OPEN',
      phase: 'connect',
      statusCode: 503,
      why: '5 attempts in a row failed',
      cause: { code: 'LEASEHOLD_CONNECT_FAILED', cause: REFUSED },
    })
    const { retryAfterMs, message } = error as CircuitOpenError
    expect(retryAfterMs).toBeGreaterThan(0)
    expect(retryAfterMs).toBeLessThanOrEqual(1_000)
    expect(message).toContain('5 attempts in a row failed; last: pool "test" (fake) could not open a connection')
  })

  it('living connections go on serving, and who waits for one of them waits', async () => {
    const fakes = openFakePool({ max: 2 })
    const { pool, driver, clock } = fakes
    const lease = await pool.acquire()
    await trip(fakes)
    const waiting = watched(pool.acquire({ timeoutMs: 600_000 }))
    await clock.advanceAsync(60_000)
    expect(waiting.outcome).toBe('pending')

    lease.release()
    await settled()

    expect(waiting.value.client.id).toBe(lease.connectionId)
    waiting.value.release()
    expect((await pool.acquire()).connectionId).toBe(lease.connectionId)
    expect(driver.violations).toEqual([])
  })

  it('who waits for the last living connection is answered as soon as it has died', async () => {
    const fakes = openFakePool({ max: 2 })
    const lease = await fakes.pool.acquire()
    await trip(fakes)
    const waiting = [watched(fakes.pool.acquire()), watched(fakes.pool.acquire())]
    await settled()
    expect(waiting.map(({ outcome }) => outcome)).toEqual(['pending', 'pending'])

    fakes.driver.kill(lease.client)
    lease.release()
    await settled()

    expect(waiting.map(({ outcome }) => outcome)).toEqual(['LEASEHOLD_CIRCUIT_OPEN', 'LEASEHOLD_CIRCUIT_OPEN'])
  })

  it('who waits does so no longer than its deadline', async () => {
    const fakes = openFakePool({ max: 2, acquireTimeoutMs: 700 })
    await fakes.pool.acquire({ label: 'the holder' })
    await trip(fakes)
    const waiting = watched(fakes.pool.acquire())
    await fakes.clock.advanceAsync(700)

    expect(waiting.state).toMatchObject({ error: { code: 'LEASEHOLD_ACQUIRE_TIMEOUT', phase: 'connect' } })
  })

  it('who waits in a paused pool is not answered before it is resumed, which closes the circuit', async () => {
    const fakes = openFakePool({ acquireTimeoutMs: 60_000 })
    await trip(fakes)
    fakes.pool.pause()
    const waiting = watched(fakes.pool.acquire())
    await settled()
    expect(waiting.outcome).toBe('pending')
    fakes.driver.script.always('connect', 'ok')

    fakes.pool.resume()
    await settled()

    expect(waiting.outcome).toBe('fulfilled')
    expect(fakes.pool.snapshot().breaker.state).toBe('closed')
  })

  it('callers count against maxWaiting, because none could be opened for them', async () => {
    const fakes = openFakePool({ max: 3, maxWaiting: 5 })
    await fakes.pool.acquire()
    await trip(fakes)
    for (let caller = 0; caller < 5; caller += 1) watched(fakes.pool.acquire())

    await expect(fakes.pool.acquire()).rejects.toMatchObject({ code: 'LEASEHOLD_QUEUE_FULL' })
  })
})

describe('the probe', () => {
  it('is one at a time, of nobody, with the deadline of a connect, and keeps no process alive', async () => {
    const fakes = openFakePool({ connectTimeoutMs: 4_000 })
    const { pool, driver, clock } = fakes
    await trip(fakes)
    await settled()
    driver.script.always('connect', 'slow')
    const before = driver.countOf('connect')

    await clock.advanceAsync(1_000)
    expect([driver.countOf('connect') - before, driver.sockets.opening]).toEqual([1, 1])
    expect([pool.snapshot().breaker.state, clock.keepsAlive]).toEqual(['half-open', false])
    const turnedAway = watched(pool.acquire())
    await settled()
    expect(turnedAway.outcome).toBe('LEASEHOLD_CIRCUIT_OPEN')
    await clock.advanceAsync(4_000)

    expect(pool.snapshot()).toMatchObject({ breaker: { state: 'open' }, connections: { opening: 0 } })
    expect(driver.countOf('connect') - before).toBe(1)
  })

  it('that fails answers nobody who waits for a living connection', async () => {
    const fakes = openFakePool({ max: 3, acquireTimeoutMs: 60_000 })
    const lease = await fakes.pool.acquire()
    await trip(fakes)
    const waiting = watched(fakes.pool.acquire())
    await fakes.clock.advanceAsync(5_000)
    expect(fakes.pool.snapshot().breaker.failures).toBeGreaterThan(5)
    expect(waiting.outcome).toBe('pending')

    lease.release()
    await settled()
    expect(waiting.outcome).toBe('fulfilled')
  })

  it('that succeeds closes the circuit, and its connection serves who waits', async () => {
    const fakes = openFakePool({ max: 2, acquireTimeoutMs: 60_000 })
    await fakes.pool.acquire()
    await trip(fakes)
    const waiting = watched(fakes.pool.acquire())
    fakes.driver.script.always('connect', 'ok')

    await fakes.clock.advanceAsync(1_000)

    expect([waiting.outcome, fakes.pool.snapshot().breaker.state]).toEqual(['fulfilled', 'closed'])
  })

  it('that hangs ends, even where a connect may take for ever', async () => {
    const fakes = openFakePool({ connectTimeoutMs: Infinity })
    await trip(fakes)
    fakes.driver.script.always('connect', 'never')
    await fakes.clock.advanceAsync(1_000)
    expect(fakes.pool.snapshot().breaker.state).toBe('half-open')

    await fakes.clock.advanceAsync(30_000)

    expect(fakes.pool.snapshot().breaker.state).toBe('open')
  })

  it('waits for room where all connections are lent or closing, and comes as soon as there is some', async () => {
    const fakes = openFakePool({ max: 2 })
    const leases = [await fakes.pool.acquire(), await fakes.pool.acquire()]
    fakes.pool.forceBreaker('automatic')
    leases[1]?.discard('no use')
    await settled()
    await trip(fakes)
    fakes.pool.resize(1)
    const before = fakes.driver.countOf('connect')
    await fakes.clock.advanceAsync(5_000)
    expect(fakes.driver.countOf('connect')).toBe(before)

    leases[0]?.discard('no use')
    await settled()

    expect(fakes.driver.countOf('connect')).toBe(before + 1)
  })

  it('is over with the pool', async () => {
    const fakes = openFakePool()
    await trip(fakes)
    const before = fakes.driver.countOf('connect')
    await fakes.pool.close()
    await fakes.clock.advanceAsync(60_000)

    expect([fakes.driver.countOf('connect'), fakes.clock.pending]).toEqual([before, 0])
  })
})

describe('a server that comes back', () => {
  it('sees 1, 2, 4, … connects at a time, though 500 callers wait', async () => {
    const fakes = openFakePool({ max: 50, maxConnecting: 8, acquireTimeoutMs: 60_000 })
    const { pool, driver, clock } = fakes
    await pool.acquire()
    await trip(fakes)
    const waiting = Array.from({ length: 500 }, () => watched(pool.acquire()))
    driver.script.always('connect', 'slow')
    await clock.advanceAsync(1_000)

    const atATime: number[] = []
    for (let round = 0; round < 6; round += 1) {
      atATime.push(driver.sockets.opening)
      driver.script.open('connect')
      await settled()
    }

    expect(atATime).toEqual([1, 1, 2, 4, 8, 8])
    expect(waiting.filter(({ outcome }) => outcome === 'fulfilled')).toHaveLength(6)
    expect(waiting.filter(({ outcome }) => outcome === 'pending')).toHaveLength(494)
  })

  it('is found by a caller after the pause, where the circuit had not opened yet', async () => {
    const { pool, driver, clock } = openFakePool()
    driver.script.next('connect', REFUSED, REFUSED)
    const callers = [1, 2, 3].map(() => watched(pool.acquire()))
    await clock.advanceAsync(300)

    expect(callers.map(({ outcome }) => outcome)).toEqual([
      'LEASEHOLD_CONNECT_FAILED',
      'LEASEHOLD_CONNECT_FAILED',
      'fulfilled',
    ])
  })
})

describe('wrong credentials', () => {
  const DENIED = new FakeDriverError('password authentication failed', 'denied')

  it('are tried once for all who wait, and not again before the pause has passed', async () => {
    const { pool, driver, clock } = openFakePool({ maxConnecting: 1 })
    driver.script.always('connect', DENIED)
    const callers = Array.from({ length: 50 }, () => watched(pool.acquire()))
    await settled()
    const late = watched(pool.acquire())
    await settled()

    expect(driver.countOf('connect')).toBe(1)
    for (const { state } of [...callers, late]) {
      expect(state).toMatchObject({ error: { code: 'LEASEHOLD_CONNECT_FAILED', kind: 'denied', cause: DENIED } })
    }
    await clock.advanceAsync(300)
    driver.script.always('connect', 'ok')
    expect((await pool.acquire()).active).toBe(true)
  })

  it('are no sickness: the circuit stays closed, however often', async () => {
    const { pool, driver, clock } = openFakePool()
    driver.script.always('connect', DENIED)
    for (let caller = 0; caller < 20; caller += 1) {
      watched(pool.acquire())
      await clock.advanceAsync(2_000)
    }

    expect(driver.countOf('connect')).toBe(20)
    expect(pool.snapshot().breaker).toMatchObject({ state: 'closed', failures: 0 })
  })

  it('are hardly tried for min: a second after the first time, and half a minute in the end', async () => {
    const { pool, driver, clock } = openFakePool({ min: 2 })
    driver.script.always('connect', DENIED)
    watched(pool.acquire())
    await clock.advanceAsync(600_000)

    expect(driver.countOf('connect')).toBeLessThan(100)
    expect(driver.countOf('connect')).toBeGreaterThan(10)
  })

  it('are tried again at once after reconnect()', async () => {
    const { pool, driver } = openFakePool({ maxConnecting: 1 })
    driver.script.next('connect', DENIED)
    await expect(pool.acquire()).rejects.toMatchObject({ kind: 'denied' })
    await expect(pool.acquire()).rejects.toMatchObject({ kind: 'denied' })

    pool.reconnect()

    expect((await pool.acquire()).active).toBe(true)
  })
})

describe('a full server', () => {
  const FULL = new FakeDriverError('too many clients', 'saturated')

  it('makes the pool do with what it has: callers wait for that, and the circuit stays closed', async () => {
    const { pool, driver, clock } = openFakePool({ max: 10, acquireTimeoutMs: 60_000 })
    const leases = [await pool.acquire(), await pool.acquire()]
    driver.script.always('connect', FULL)
    const waiting = Array.from({ length: 20 }, () => watched(pool.acquire()))
    await settled()
    expect(pool.snapshot()).toMatchObject({ effectiveMax: 2, breaker: { state: 'closed', failures: 0 } })
    const before = driver.countOf('connect')

    await clock.advanceAsync(900)
    expect([driver.countOf('connect') - before, waiting.filter((each) => each.outcome !== 'pending')]).toEqual([0, []])
    leases[0]?.release()
    await settled()

    expect(waiting[0]?.outcome).toBe('fulfilled')
  })

  it('answers one caller for each attempt where the pool has no connection', async () => {
    const { pool, driver, clock } = openFakePool({ maxConnecting: 1 })
    driver.script.always('connect', FULL)
    const waiting = [watched(pool.acquire()), watched(pool.acquire())]
    await settled()
    expect(waiting.map(({ outcome }) => outcome)).toEqual(['LEASEHOLD_CONNECT_FAILED', 'pending'])
    expect(pool.snapshot().effectiveMax).toBe(1)

    await clock.advanceAsync(300)

    expect(waiting[1]?.state).toMatchObject({ error: { kind: 'saturated' } })
  })

  it('is tried once for each pause, and the pool has all its connections again step by step', async () => {
    const { pool, driver, clock } = openFakePool({ max: 6, acquireTimeoutMs: 600_000 })
    await pool.acquire()
    driver.script.always('connect', FULL)
    const waiting = Array.from({ length: 9 }, () => watched(pool.acquire()))
    await clock.advanceAsync(100_000)
    // From three seconds to half a minute between two.
    expect(driver.countOf('connect')).toBeLessThan(20)
    driver.script.always('connect', 'ok')

    await clock.advanceAsync(31_000)

    expect(pool.snapshot()).toMatchObject({ effectiveMax: 6, connections: { lent: 6 } })
    expect(waiting.filter(({ outcome }) => outcome === 'fulfilled')).toHaveLength(5)
  })
})

describe('what is not the database’s fault', () => {
  it('opens no circuit: a hook that fails is its caller’s error, and the next one need not wait', async () => {
    const { pool, driver } = openFakePool({ maxConnecting: 1 })
    driver.script.always('connect', new FakeDriverError('the hook failed', 'query'))
    const callers = Array.from({ length: 15 }, () => watched(pool.acquire()))
    await settled()

    expect(callers.map(({ outcome }) => outcome)).toEqual(Array<string>(15).fill('LEASEHOLD_CONNECT_FAILED'))
    expect(pool.snapshot().breaker.state).toBe('closed')
  })

  it('is bounded by the retry budget all the same: twenty at once, and ten a second', async () => {
    const { pool, driver, clock } = openFakePool({ maxConnecting: 1, acquireTimeoutMs: 60_000 })
    driver.script.always('connect', new FakeDriverError('the hook failed', 'query'))
    for (let caller = 0; caller < 200; caller += 1) watched(pool.acquire())
    await settled()
    expect(driver.countOf('connect')).toBe(21)

    await clock.advanceAsync(2_000)
    expect(driver.countOf('connect')).toBe(41)
  })

  it('opens no circuit: a statement’s error', async () => {
    const { pool } = openFakePool()
    for (let turn = 0; turn < 20; turn += 1) await pool.use((client) => client.query('fail')).catch(() => {})

    expect(pool.snapshot()).toMatchObject({ breaker: { state: 'closed', failures: 0 }, generation: 0 })
  })

  it('opens no circuit: a check of the user’s own that rejects for reasons of its own', async () => {
    const check = (): Promise<void> => Promise.reject(new FakeDriverError('not this one', 'query'))
    const { pool, clock } = openFakePool({ check, checkAfterIdleMs: 0 })
    for (let turn = 0; turn < 10; turn += 1) {
      ;(await pool.acquire()).release()
      await clock.advanceAsync(10)
    }

    expect(pool.snapshot().breaker).toMatchObject({ state: 'closed', failures: 0 })
  })

  it('is said by the user: classify overrides the driver in both directions', async () => {
    const kinds = new Map([
      ['sick', 'query'],
      ['fine', 'transient'],
    ] as const)
    const { pool, driver, clock } = openFakePool({
      classify: (error) => kinds.get((error as Error).message as 'sick' | 'fine'),
    })
    driver.script.always('connect', new FakeDriverError('sick', 'transient'))
    for (let turn = 0; turn < 8; turn += 1) {
      watched(pool.acquire())
      await clock.advanceAsync(1_000)
    }
    expect(pool.snapshot().breaker.state).toBe('closed')
    driver.script.always('connect', new FakeDriverError('fine', 'query'))
    for (let turn = 0; turn < 5; turn += 1) {
      watched(pool.acquire())
      await clock.advanceAsync(turn === 4 ? 0 : 2_000)
    }
    expect(pool.snapshot().breaker.state).toBe('open')
  })
})

describe('checks that fail', () => {
  it('count as one failure for a whole pool that is checked together', async () => {
    const { pool, driver, clock } = openFakePool({ max: 10, maxConnecting: 10 })
    for (const lease of await Promise.all(Array.from({ length: 10 }, () => pool.acquire()))) lease.release()
    clock.advance(1_001)
    driver.script.always('check', 'never')
    driver.script.always('connect', 'never')
    watched(pool.acquire())
    await clock.advanceAsync(2_500)

    expect(pool.snapshot()).toMatchObject({
      breaker: { state: 'closed', failures: 1 },
      counts: { closed: { 'check-failed': 10 } },
    })
  })

  it('count with the attempts that fail: together they open the circuit', async () => {
    const { pool, driver, clock } = openFakePool({ breaker: { consecutiveFailures: 2 } })
    ;(await pool.acquire()).release()
    clock.advance(1_001)
    driver.script.always('check', 'error')
    driver.script.always('connect', REFUSED)
    const asked = watched(pool.acquire())
    await settled()

    expect([asked.outcome, pool.snapshot().breaker.state]).toEqual(['LEASEHOLD_CONNECT_FAILED', 'open'])
  })
})

describe('the circuit can be', () => {
  it('held open by hand: nothing is opened, living connections go on serving, and nobody probes', async () => {
    const { pool, driver, clock } = openFakePool({ idleTimeoutMs: Infinity })
    const lease = await pool.acquire()
    pool.forceBreaker('open')
    const waiting = watched(pool.acquire())
    await clock.advanceAsync(1_000)
    expect(waiting.outcome).toBe('pending')
    lease.release()
    await settled()
    waiting.value.discard('no use')
    await settled()

    await expect(pool.acquire()).rejects.toMatchObject({
      code: 'LEASEHOLD_CIRCUIT_OPEN',
      why: undefined,
      remedy: expect.stringContaining("forceBreaker('automatic')") as string,
    })
    await clock.advanceAsync(60_000)
    expect(driver.countOf('connect')).toBe(1)
    pool.forceBreaker('automatic')
    expect((await pool.acquire()).active).toBe(true)
  })

  it('held open by hand while callers wait: they are answered at once', async () => {
    const { pool, driver } = openFakePool()
    driver.script.always('connect', 'never')
    const waiting = watched(pool.acquire())
    pool.forceBreaker('open')
    await settled()

    expect(waiting.outcome).toBe('LEASEHOLD_CIRCUIT_OPEN')
  })

  it('held closed by hand, or left out: attempts go on, whatever fails', async () => {
    const forced = openFakePool()
    forced.pool.forceBreaker('closed')
    for (const { pool, driver, clock } of [forced, openFakePool({ breaker: false })]) {
      driver.script.always('connect', REFUSED)
      for (let caller = 0; caller < 10; caller += 1) {
        const asked = watched(pool.acquire())
        await clock.advanceAsync(2_000)
        expect(asked.outcome).toBe('LEASEHOLD_CONNECT_FAILED')
      }
      expect(driver.countOf('connect')).toBe(10)
    }
  })

  it('only reported: it goes through its states, tells of them, and refuses nobody', async () => {
    for (const options of [{ breaker: { reportOnly: true } }, { observe: true }]) {
      const fakes = openFakePool(options)
      const told: BreakerEvent[] = []
      fakes.pool.on('breaker', (event) => told.push(event))
      await trip(fakes)
      await fakes.clock.advanceAsync(10_000)
      const asked = watched(fakes.pool.acquire())
      await settled()
      expect(asked.outcome).toBe('LEASEHOLD_CONNECT_FAILED')
      fakes.driver.script.always('connect', 'ok')
      await fakes.clock.advanceAsync(10_000)
      expect((await fakes.pool.acquire()).active).toBe(true)

      expect(told.every(({ enforced }) => !enforced)).toBe(true)
      expect(told.map(({ to }) => to)).toEqual(['open', 'half-open', 'open', 'half-open', 'closed'])
    }
  })

  it('forced to nothing else', () => {
    const { pool } = openFakePool()
    for (const to of ['shut', undefined, null, true]) {
      expect(() => pool.forceBreaker(to as 'open')).toThrow("'open' or 'closed' or 'automatic'")
    }
  })
})

describe('what becomes of the circuit', () => {
  it('is told, with the reason, the last failure and when it is tried next; and the snapshot shows it', async () => {
    const fakes = openFakePool()
    const told: BreakerEvent[] = []
    fakes.pool.on('breaker', (event) => told.push(event))
    await trip(fakes)
    const { breaker } = fakes.pool.snapshot()
    expect(breaker).toMatchObject({
      state: 'open',
      failures: 5,
      lastError: { code: 'LEASEHOLD_CONNECT_FAILED', message: expect.stringContaining('connection refused') as string },
    })
    expect(breaker.retryAfterMs).toBeLessThanOrEqual(1_000)
    fakes.driver.script.always('connect', 'ok')
    await fakes.clock.advanceAsync(1_000)

    expect(told.map(({ from, to }) => `${from} → ${to}`)).toEqual([
      'closed → open',
      'open → half-open',
      'half-open → closed',
    ])
    expect(told[0]).toMatchObject({
      pool: 'test',
      why: '5 attempts in a row failed',
      enforced: true,
      error: { code: 'LEASEHOLD_CONNECT_FAILED' },
    })
    expect(told[0]?.retryAfterMs).toBeGreaterThanOrEqual(800)
    expect(fakes.pool.snapshot().breaker).toEqual({
      state: 'closed',
      failures: 0,
      retryAfterMs: undefined,
      lastError: undefined,
    })
  })
})

describe('a pool without backoff', () => {
  it('opens as many at a time, and as soon, as maxConnecting and its callers want', async () => {
    const { pool, driver } = openFakePool({ breaker: false, backoff: false, maxConnecting: Infinity, max: 10 })
    driver.script.always('connect', REFUSED)
    const callers = Array.from({ length: 30 }, () => watched(pool.acquire()))
    await settled()

    expect(driver.countOf('connect')).toBe(30)
    expect(callers.every(({ outcome }) => outcome === 'LEASEHOLD_CONNECT_FAILED')).toBe(true)
  })
})
