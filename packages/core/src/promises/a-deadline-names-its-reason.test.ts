import { getEventListeners } from 'node:events'
import { openFakePool, type Outcome, settled, type Step, watched, type Watched } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import { AcquireTimeoutError, openScope, runInScope } from '../index.js'

// ARCHITECTURE.md, promise 6.

function errorOf(asked: Watched<unknown> | undefined): Error {
  if (asked?.state.is === 'rejected' && asked.state.error instanceof Error) return asked.state.error
  throw new Error('it was not rejected')
}

describe('a caller whose deadline passes', () => {
  it('learns who holds the connections, for how long, and how much of that the database worked', async () => {
    const { pool, clock } = openFakePool({ max: 2, acquireTimeoutMs: 500, captureSites: 'always' })
    await pool.acquire({ label: 'GET /slow' })
    clock.advance(4_400)
    await pool.acquire({ label: 'GET /other' })
    const waiting = [watched(pool.acquire()), watched(pool.acquire())]

    await clock.advanceAsync(500)

    const error = errorOf(waiting[0])
    expect(error).toBeInstanceOf(AcquireTimeoutError)
    expect(error).toMatchObject({
      code: 'LEASEHOLD_ACQUIRE_TIMEOUT',
      phase: 'queue',
      statusCode: 503,
      pool: 'test',
      waitedMs: 500,
      waiting: 1,
      total: 2,
      limit: 2,
      paused: false,
      holders: [
        { label: 'GET /slow', heldMs: 4_900, busyMs: 0 },
        { label: 'GET /other', heldMs: 500 },
      ],
    })
    expect(error.message).toContain('no connection of pool "test" was free within 500 ms')
    expect(error.message).toContain('GET /slow for 4900 ms (database 0 ms) at ')
    expect(error.message).toContain('a-deadline-names-its-reason.test.ts')
    expect(pool.snapshot().counts.timeouts).toBe(2)
  })

  it('learns why connections can not be opened, if that is so', async () => {
    const { pool, driver, clock } = openFakePool({ max: 2, acquireTimeoutMs: 500 })
    await pool.acquire()
    driver.script.next('connect', new Error('no route to host'))
    driver.script.always('connect', 'never')
    const [first, second] = [watched(pool.acquire()), watched(pool.acquire())]
    await settled()
    expect(first.outcome).toBe('LEASEHOLD_CONNECT_FAILED')

    await clock.advanceAsync(500)

    expect(second.state).toMatchObject({
      error: { code: 'LEASEHOLD_ACQUIRE_TIMEOUT', phase: 'connect', cause: { cause: { message: 'no route to host' } } },
    })
    expect(errorOf(second).message).toContain('no route to host')
    expect(pool.snapshot().lastConnectFailure).toMatchObject({ code: 'LEASEHOLD_CONNECT_FAILED' })
  })

  it('learns that it was the deadline of its scope, which had passed when it asked', async () => {
    const { pool, clock } = openFakePool({ max: 2 })
    const scope = openScope({ label: 'GET /slow', deadlineMs: 500, clock })
    await scope.run(() => pool.acquire())
    await clock.advanceAsync(500)

    const late = watched(scope.run(() => pool.acquire()))
    await settled()

    expect(errorOf(late)).toMatchObject({
      code: 'LEASEHOLD_ACQUIRE_TIMEOUT',
      remedy: expect.stringContaining('more time'),
    })
    expect(errorOf(late).message).toContain('the deadline of scope "GET /slow" passed before pool "test"')
    await scope.close()
  })

  it('learns the same in a scope inside of that one, opened before or after, by a signal of its own or without', async () => {
    const { pool, clock } = openFakePool({ max: 1 })
    const held = await pool.acquire()
    const outer = openScope({ label: 'GET /slow', deadlineMs: 500, clock })
    const { signal } = new AbortController()
    const open = (label: string, own?: AbortSignal) =>
      outer.run(() => openScope({ label, clock, ...(own === undefined ? {} : { signal: own }) }))
    const [early, deeper] = [open('early'), open('with a signal', signal)]
    const innermost = deeper.run(() => openScope({ label: 'innermost', clock }))
    const waiting = [early, deeper, innermost].map((scope) => watched(scope.run(() => pool.acquire())))

    await clock.advanceAsync(500)
    const last = open('late')
    const late = [last, open('late, with a signal', signal)]
    const asked = [early, deeper, innermost, ...late].map((scope) => watched(scope.run(() => pool.acquire())))
    const transaction = watched(last.run(() => pool.transaction(() => {})))
    await settled()

    const told = [...waiting, ...asked, transaction].map((each) => errorOf(each) as AcquireTimeoutError)
    expect(told.map(({ code, statusCode }) => `${code} ${statusCode}`)).toEqual(
      told.map(() => 'LEASEHOLD_ACQUIRE_TIMEOUT 503'),
    )
    expect(told[3]?.message).toContain('the deadline of scope "early" passed before pool "test"')
    for (const scope of [...late, innermost, deeper, early, outer]) await scope.close()
    held.release()
  })

  it('learns that the pool is paused, and what to do', async () => {
    const { pool, clock } = openFakePool({ acquireTimeoutMs: 500 })
    pool.pause()
    const waiting = watched(pool.acquire())

    await clock.advanceAsync(500)

    expect(waiting.state).toMatchObject({ error: { paused: true, remedy: 'The pool is paused: call resume()' } })
  })

  it.each<[Step, Outcome]>([
    ['connect', 'never'],
    ['check', 'never'],
    ['reset', 'never'],
    ['quiesce', 'never'],
    ['close', 'never'],
    ['connect', 'slow'],
    ['close', 'error'],
  ])('is answered in time though %s is %s', async (step, outcome) => {
    const { pool, driver, clock } = openFakePool({
      max: 1,
      checkAfterIdleMs: 10,
      acquireTimeoutMs: 500,
      connectTimeoutMs: 9_000,
      checkTimeoutMs: 9_000,
      resetTimeoutMs: 9_000,
      closeTimeoutMs: 9_000,
    })
    if (step !== 'connect') {
      const lease = await pool.acquire()
      driver.script.always(step, outcome)
      if (step === 'reset') await lease.client.query('begin')
      if (step === 'quiesce') {
        driver.script.next('query', 'never')
        watched(lease.client.query('endless'))
      }
      if (step === 'close') lease.discard('no use')
      else lease.release()
      clock.advance(11)
    }
    driver.script.always(step, outcome)
    const waiting = watched(pool.acquire())

    await clock.advanceAsync(499)
    if (outcome !== 'error') expect(waiting.outcome).toBe('pending')
    await clock.advanceAsync(1)

    expect(waiting.outcome).toBe(outcome === 'error' ? 'fulfilled' : 'LEASEHOLD_ACQUIRE_TIMEOUT')
  })

  it('is answered at its own deadline and not at the pool’s', async () => {
    const { pool, clock } = openFakePool({ max: 1, acquireTimeoutMs: 500 })
    await pool.acquire()
    const [patient, hasty] = [watched(pool.acquire({ timeoutMs: 900 })), watched(pool.acquire({ timeoutMs: 20 }))]

    await clock.advanceAsync(20)
    expect([patient.outcome, hasty.outcome]).toEqual(['pending', 'LEASEHOLD_ACQUIRE_TIMEOUT'])
    await clock.advanceAsync(879)
    expect(patient.outcome).toBe('pending')
    await clock.advanceAsync(1)
    expect(patient.outcome).toBe('LEASEHOLD_ACQUIRE_TIMEOUT')
  })

  it('takes only what is free at once with a timeout of 0', async () => {
    const { pool, clock } = openFakePool({ max: 1 })
    ;(await pool.acquire()).release()
    const lease = await pool.acquire({ timeoutMs: 0 })
    expect(lease.active).toBe(true)

    const second = watched(pool.acquire({ timeoutMs: 0 }))
    await clock.advanceAsync(0)

    expect(second.outcome).toBe('LEASEHOLD_ACQUIRE_TIMEOUT')
  })

  it('never comes with a timeout of Infinity', async () => {
    const { pool, clock } = openFakePool({ max: 1, acquireTimeoutMs: Infinity, leakAfterMs: Infinity })
    const first = await pool.acquire()
    const second = watched(pool.acquire())

    await clock.advanceAsync(1e9)
    expect(second.outcome).toBe('pending')
    first.release()
    await settled()
    expect(second.outcome).toBe('fulfilled')
  })
})

describe('the deadline of a scope', () => {
  it('bounds what its callers wait for, whatever they asked for', async () => {
    const { pool, clock } = openFakePool({ max: 1 })
    await pool.acquire({ label: 'the holder' })
    const scope = openScope({ label: 'a request', deadlineMs: 100, clock })
    const waiting = watched(scope.run(() => pool.acquire({ timeoutMs: 5_000 })))

    await clock.advanceAsync(99)
    expect(waiting.outcome).toBe('pending')
    await clock.advanceAsync(1)

    expect(waiting.outcome).toBe('LEASEHOLD_ACQUIRE_TIMEOUT')
    expect(waiting.state).toMatchObject({ error: { holders: [{ label: 'the holder' }] } })
    expect(scope.signal.aborted).toBe(true)
    await scope.close()
  })

  it('refuses what is asked for after it', async () => {
    const { pool, clock } = openFakePool()
    const scope = openScope({ label: 'a request', deadlineMs: 100, clock })
    await clock.advanceAsync(100)

    await expect(scope.run(() => pool.acquire())).rejects.toMatchObject({ code: 'LEASEHOLD_ACQUIRE_TIMEOUT' })
    await scope.close()
    expect(pool.snapshot().counts.granted).toBe(0)
  })

  it('holds for scopes inside it, and theirs does not lengthen it', async () => {
    const { clock } = openFakePool()

    await runInScope({ label: 'outer', deadlineMs: 100, clock }, async () => {
      clock.advance(40)
      await runInScope({ label: 'inner', deadlineMs: 500, clock }, (inner) => expect(inner.remainingMs()).toBe(60))
      await runInScope({ label: 'inner', deadlineMs: 10, clock }, (inner) => expect(inner.remainingMs()).toBe(10))
      await runInScope({ label: 'inner', clock }, (inner) => expect(inner.remainingMs()).toBe(60))
    })
  })

  it('leaves no wake-up behind when the scope closes before it', async () => {
    const { clock } = openFakePool()

    await runInScope({ label: 'a request', deadlineMs: 100, clock }, () => {})

    expect(clock.keepsAlive).toBe(false)
    expect(clock.pending).toBeLessThanOrEqual(1)
    clock.advance(100)
    expect(clock.pending).toBe(0)
  })
})

describe('the signal of a scope', () => {
  it('aborts with the signal that the scope was given, and sends waiting callers away', async () => {
    const { pool, clock } = openFakePool({ max: 1 })
    await pool.acquire()
    const controller = new AbortController()
    const scope = openScope({ label: 'a request', signal: controller.signal, clock })
    const waiting = watched(scope.run(() => pool.acquire()))

    controller.abort(new Error('shutting down'))
    await settled()

    expect(waiting.outcome).toBe('LEASEHOLD_ABORTED')
    expect(waiting.state).toMatchObject({ error: { cause: { message: 'shutting down' } } })
    expect(scope.signal.reason).toBe(controller.signal.reason)
    await scope.close()
  })

  it('follows a signal that is not Node’s own, inside another scope as well', async () => {
    class Polyfill extends EventTarget {
      aborted = false
      readonly reason = new Error('given up')
      abort(): void {
        this.aborted = true
        this.dispatchEvent(new Event('abort'))
      }
    }
    const own = new Polyfill()
    const outer = openScope({ label: 'outer' })
    const inner = outer.run(() => openScope({ label: 'inner', signal: own as unknown as AbortSignal }))

    own.abort()

    expect([inner.signal.aborted, inner.signal.reason, outer.signal.aborted]).toEqual([true, own.reason, false])
    await inner.close()
    await outer.close()
  })

  it('may be followed by any number of scopes and callers: nobody is warned of a leak, and all are told', async () => {
    const { pool, clock } = openFakePool({ max: 1 })
    await pool.acquire()
    const warnings: string[] = []
    // Of others, whose tests share the process, is no matter here.
    const warned = ({ name }: Error): void => void (name.startsWith('MaxListeners') && warnings.push(name))
    process.on('warning', warned)
    const shutdown = new AbortController()
    const { signal } = shutdown
    const outer = openScope({ label: 'a worker', signal, clock })
    const jobs = Array.from({ length: 12 }, () => outer.run(() => openScope({ label: 'a job', clock })))
    const others = Array.from({ length: 12 }, () => openScope({ label: 'another', signal, clock }))
    const waiting = [
      ...jobs.map((job) => watched(job.run(() => pool.acquire()))),
      ...Array.from({ length: 12 }, () => watched(pool.acquire({ signal }))),
    ]
    await settled()
    expect([getEventListeners(signal, 'abort').length, warnings]).toEqual([1, []])
    process.off('warning', warned)

    await others[0]?.close()
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    shutdown.abort(new Error('shutting down'))
    await settled()

    expect(new Set(waiting.map(({ outcome }) => outcome))).toEqual(new Set(['LEASEHOLD_ABORTED']))
    expect(others.map((scope) => scope.signal.reason === signal.reason)).toEqual([false, ...Array(11).fill(true)])
    await Promise.all([...jobs, ...others, outer].map((scope) => scope.close()))
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('is left alone by whoever has been served, or is over', async () => {
    const { pool, clock } = openFakePool({ max: 1 })
    const { signal } = new AbortController()
    const lease = await pool.acquire({ signal })
    const waiting = watched(pool.acquire({ signal }))
    const scope = openScope({ label: 'a request', signal, clock })
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)

    lease.release()
    await settled()
    await scope.close()

    expect([waiting.outcome, getEventListeners(signal, 'abort')]).toEqual(['fulfilled', []])
  })

  it('has aborted already when the given one had', async () => {
    const { pool } = openFakePool()
    const scope = openScope({ label: 'a request', signal: AbortSignal.abort(new Error('too late')) })

    await expect(scope.run(() => pool.acquire())).rejects.toMatchObject({ code: 'LEASEHOLD_ABORTED' })
    expect(scope.signal.aborted).toBe(true)
    await scope.close()
  })

  it('of an inner scope aborts with the outer one’s', async () => {
    const outer = openScope({ label: 'outer' })
    const inner = outer.run(() => openScope({ label: 'inner' }))
    const { signal } = inner

    await outer.close(new Error('of the outer'))

    expect([signal.aborted, (signal.reason as Error).message]).toEqual([true, 'of the outer'])
    await inner.close()
  })
})
