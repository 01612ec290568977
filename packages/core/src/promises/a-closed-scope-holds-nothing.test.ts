import { openFakePool, settled, watched } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import { currentScope, detached, type LeakEvent, openScope, runInScope } from '../index.js'

// ARCHITECTURE.md, promise 5.

describe('a scope', () => {
  it('borrows nothing before its first query', async () => {
    const { pool, driver } = openFakePool()

    await runInScope({ label: 'a request' }, async () => {
      await settled()
      expect(driver.calls).toEqual([])
    })

    expect(pool.snapshot().counts.granted).toBe(0)
  })

  it('returns what its work returns, and throws what it throws, with everything back', async () => {
    const { pool, clock } = openFakePool()

    expect(await runInScope({ label: 'a request', clock }, async () => (await pool.acquire(), 'done'))).toBe('done')
    await expect(
      runInScope({ label: 'a request', clock }, async () => {
        await pool.acquire()
        throw new Error('of the work')
      }),
    ).rejects.toThrow('of the work')

    expect(pool.snapshot()).toMatchObject({ connections: { lent: 0, idle: 1 }, counts: { leaks: { 'left-over': 2 } } })
  })

  it('knows its label, its deadline and its leases', async () => {
    const { pool, clock } = openFakePool()

    await runInScope({ label: 'a request', deadlineMs: 100, clock }, async (scope) => {
      expect(currentScope()).toBe(scope)
      await pool.acquire()
      clock.advance(40)
      expect([scope.label, scope.isOpen, scope.held, scope.remainingMs()]).toEqual(['a request', true, 1, 60])
      expect(pool.snapshot().holders).toMatchObject([{ label: 'a request', heldMs: 40 }])
    })

    expect(currentScope()).toBeUndefined()
  })
})

describe('after a scope closes nothing is held in its name', () => {
  it('though its handler hangs for ever', async () => {
    const { pool, clock } = openFakePool({ max: 1 })
    const leaks: LeakEvent[] = []
    pool.on('leak', (event) => leaks.push(event))
    const scope = openScope({ label: 'GET /hangs', clock })
    watched(
      scope.run(async () => {
        await pool.acquire()
        await new Promise(() => {})
      }),
    )
    await settled()
    const next = watched(pool.acquire())
    clock.advance(70)

    await scope.close()
    await settled()

    expect([next.outcome, scope.held, scope.isOpen]).toEqual(['fulfilled', 0, false])
    expect(leaks).toEqual([expect.objectContaining({ kind: 'left-over', label: 'GET /hangs', heldMs: 70 })])
  })

  it('though a statement runs: it may finish within closeGraceMs', async () => {
    const { pool, driver, clock } = openFakePool({ max: 1, closeGraceMs: 100 })
    const scope = openScope({ label: 'GET /slow', clock })
    const lease = await scope.run(() => pool.acquire())
    driver.script.next('query', 'slow')
    const answer = watched(lease.client.query('update'))
    const closed = watched(scope.close())
    await clock.advanceAsync(99)
    expect([closed.outcome, answer.outcome, lease.active]).toEqual(['pending', 'pending', true])

    driver.script.open('query')
    await clock.advanceAsync(0)

    expect([closed.outcome, answer.outcome, lease.active]).toEqual(['fulfilled', 'fulfilled', false])
    expect(driver.countOf('quiesce')).toBe(0)
  })

  it('though a statement runs for longer: it is cancelled and the connection kept', async () => {
    const { pool, driver, clock } = openFakePool({ max: 1, closeGraceMs: 100 })
    const scope = openScope({ label: 'GET /slow', clock })
    const lease = await scope.run(() => pool.acquire())
    await lease.client.query('begin')
    driver.script.next('query', 'never')
    const answer = watched(lease.client.query('update'))
    const closed = watched(scope.close())

    await clock.advanceAsync(100)

    expect([closed.outcome, answer.state.is, driver.countOf('quiesce')]).toEqual(['fulfilled', 'rejected', 1])
    expect(pool.snapshot().connections).toMatchObject({ idle: 1, total: 1 })
    expect(driver.violations).toEqual([])
  })

  it('though a statement runs, can not be cancelled and its connection can not be closed', async () => {
    const { pool, driver, clock } = openFakePool({ max: 1, closeGraceMs: 100, resetTimeoutMs: 200, closeTimeoutMs: 50 })
    for (const step of ['query', 'quiesce', 'close'] as const) driver.script.always(step, 'never')
    const scope = openScope({ label: 'GET /frozen', clock })
    const lease = await scope.run(() => pool.acquire())
    watched(lease.client.query('update'))
    const closed = watched(scope.close())

    await clock.advanceAsync(350)

    expect([closed.outcome, scope.held, driver.sockets.total]).toEqual(['fulfilled', 0, 0])
  })

  it('though statement follows statement without a pause', async () => {
    const { pool, driver, clock } = openFakePool({ max: 1, closeGraceMs: 100 })
    driver.script.always('query', 'slow')
    const scope = openScope({ label: 'GET /busy', clock })
    const work = watched(
      scope.run(async () => {
        const lease = await pool.acquire()
        for (;;) await lease.client.query('select')
      }),
    )
    await settled()

    const closed = watched(scope.close())
    for (let turn = 0; turn < 50 && closed.outcome === 'pending'; turn += 1) {
      driver.script.openAll(['query'])
      await clock.advanceAsync(5)
    }

    expect([closed.outcome, scope.held]).toEqual(['fulfilled', 0])
    expect(work.state.is).toBe('rejected')
    expect(pool.snapshot().connections).toMatchObject({ lent: 0, idle: 1 })
  })

  it('neither by those who wait in its name: they are sent away at once', async () => {
    const { pool, clock } = openFakePool({ max: 1 })
    const lease = await pool.acquire()
    const scope = openScope({ label: 'a request', clock })
    const waiting = [watched(scope.run(() => pool.acquire())), watched(scope.run(() => pool.acquire()))]

    await scope.close()
    await settled()

    expect(waiting.map((each) => each.outcome)).toEqual(['LEASEHOLD_SCOPE_CLOSED', 'LEASEHOLD_SCOPE_CLOSED'])
    expect(waiting[0]?.state).toMatchObject({ error: { label: 'a request' } })
    expect(pool.snapshot()).toMatchObject({ waiting: { count: 0 } })
    lease.release()
    expect(pool.snapshot().connections.idle).toBe(1)
  })

  it('neither by what listeners of its signal ask for while it closes', async () => {
    const { pool, clock } = openFakePool({ max: 1, lateAcquire: 'refuse' })
    const scope = openScope({ label: 'a request', clock })
    const asked: ReturnType<typeof watched>[] = []
    scope.signal.addEventListener('abort', () => asked.push(watched(scope.run(() => pool.acquire()))))

    await scope.close()
    await settled()

    expect(asked.map((each) => each.outcome)).toEqual(['LEASEHOLD_SCOPE_CLOSED'])
    expect(scope.held).toBe(0)
  })

  it('and its signal has aborted, with the reason it was closed for', async () => {
    const scope = openScope({ label: 'a request' })
    const reason = new Error('the client hung up')

    await scope.close(reason)

    expect([scope.signal.aborted, scope.signal.reason]).toEqual([true, reason])
  })

  it('however often it is closed: each call waits for the same end', async () => {
    const { pool, driver, clock } = openFakePool({ max: 1 })
    const scope = openScope({ label: 'a request', clock })
    const lease = await scope.run(() => pool.acquire())
    await lease.client.query('begin')
    driver.script.next('reset', 'slow')
    const [first, second] = [watched(scope.close()), watched(scope.close())]
    await settled()
    expect([first.outcome, second.outcome]).toEqual(['pending', 'pending'])

    driver.script.open('reset')
    await settled()

    expect([first.outcome, second.outcome, watched(scope.close()).state.is]).toEqual([
      'fulfilled',
      'fulfilled',
      'pending',
    ])
    expect(driver.countOf('reset')).toBe(1)
  })

  it('on any of the pools it borrowed from', async () => {
    const [orders, audit] = [openFakePool(), openFakePool()]

    await runInScope({ label: 'a request', clock: orders.clock }, async () => {
      await orders.pool.acquire()
      await audit.pool.acquire()
      await audit.pool.acquire()
    })

    expect([orders.pool.snapshot().connections.lent, audit.pool.snapshot().connections.lent]).toEqual([0, 0])
  })
})

describe('work that goes on after its scope closed', () => {
  it('finds its handle shut', async () => {
    const { pool, clock } = openFakePool()
    const kept = await runInScope({ label: 'a request', clock }, async () => ({ lease: await pool.acquire() }))

    await expect(kept.lease.client.query('select')).rejects.toMatchObject({
      code: 'LEASEHOLD_LEASE_RELEASED',
      label: 'a request',
      endedBy: 'its scope closed',
    })
  })

  it('is lent to outside the scope, and reported once per call site', async () => {
    const { pool, clock } = openFakePool()
    const late: string[] = []
    pool.on('late-acquire', ({ label, site }) => late.push(`${label} ${site}`))
    const scope = openScope({ label: 'a request', clock })
    await scope.close()

    for (let turn = 0; turn < 3; turn += 1) {
      await scope.run(async () => {
        const lease = await pool.acquire()
        expect([lease.label, scope.held]).toEqual(['a request (after its scope closed)', 0])
        lease.release()
      })
    }

    expect(late).toHaveLength(1)
    expect(late[0]).toMatch(/^a request at .*a-closed-scope-holds-nothing\.test\.ts/)
    expect(pool.snapshot().counts.lateAcquires).toBe(3)
  })

  it('is refused with lateAcquire: refuse, by acquire, tryAcquire and use', async () => {
    const { pool, clock } = openFakePool({ lateAcquire: 'refuse' })
    ;(await pool.acquire()).release()
    const scope = openScope({ label: 'a request', clock })
    await scope.close(new Error('the reason'))
    const refusal = { code: 'LEASEHOLD_SCOPE_CLOSED', label: 'a request', cause: { message: 'the reason' } }

    await expect(scope.run(() => pool.acquire())).rejects.toMatchObject(refusal)
    await expect(scope.run(() => pool.use((client) => client.query('select')))).rejects.toMatchObject(refusal)
    expect(() => scope.run(() => pool.tryAcquire())).toThrow('the scope "a request" has closed')
    expect(pool.snapshot().counts.granted).toBe(1)
  })

  it('goes on undisturbed when it is detached', async () => {
    const { pool, clock } = openFakePool()
    const scope = openScope({ label: 'a request', clock })
    const audit = watched(
      scope.run(() =>
        detached(async (own) => {
          const lease = await pool.acquire()
          await settled()
          return [own.label, lease.active, await lease.client.query('audit')]
        }),
      ),
    )

    await scope.close()
    await settled()
    await settled()

    expect(audit.value).toEqual(['detached from a request', true, 'audit on 1'])
    await settled()
    expect(pool.snapshot().connections.lent).toBe(0)
  })

  it('keeps a lease that it announced to hold for long', async () => {
    const { pool, clock } = openFakePool()
    const listening = await runInScope({ label: 'a request', clock }, async () => ({
      lease: await pool.acquire({ hold: 'long', label: 'listener' }),
    }))

    expect(listening.lease.active).toBe(true)
    expect(listening.lease.label).toBe('listener')
  })
})

describe('in session mode', () => {
  it('all leases of a scope share one connection, each with its own handle', async () => {
    const { pool, driver, clock } = openFakePool({ mode: 'session', max: 3 })

    await runInScope({ label: 'a request', clock }, async () => {
      const [first, second] = await Promise.all([pool.acquire(), pool.acquire()])
      await first.client.query('begin')
      expect(first.client.id).toBe(second.client.id)
      first.release()
      await expect(first.client.query('select')).rejects.toMatchObject({ code: 'LEASEHOLD_LEASE_RELEASED' })
      expect(await second.client.query('select')).toBe('select on 1')
      second.release()
      expect(pool.snapshot().connections.lent).toBe(1)
    })

    expect(driver.sockets.opened).toBe(1)
    expect(pool.snapshot()).toMatchObject({ connections: { lent: 0, idle: 1 }, counts: { leaks: { 'left-over': 0 } } })
  })

  it('two scopes get two connections', async () => {
    const { pool, clock } = openFakePool({ mode: 'session', max: 3 })
    const session = (): Promise<number> =>
      runInScope({ label: 'a request', clock }, async () => (await pool.acquire()).client.id)

    expect(new Set(await Promise.all([session(), session()])).size).toBe(2)
  })

  it('who waits for the session of the scope is served when the first one gives up', async () => {
    const { pool, clock } = openFakePool({ mode: 'session', max: 1 })
    const holder = await pool.acquire()
    const scope = openScope({ label: 'a request', clock })
    const controller = new AbortController()
    const first = watched(scope.run(() => pool.acquire({ signal: controller.signal })))
    const second = watched(scope.run(() => pool.acquire()))
    await settled()

    controller.abort()
    await settled()
    holder.release()
    await settled()

    expect([first.outcome, second.outcome]).toEqual(['LEASEHOLD_ABORTED', 'fulfilled'])
    await scope.close()
    expect(pool.snapshot().connections).toMatchObject({ lent: 0, idle: 1 })
  })

  it('who waits for the session of a scope that closes is sent away, and gets nothing later', async () => {
    const { pool, clock } = openFakePool({ mode: 'session', max: 1 })
    const holder = await pool.acquire()
    const scope = openScope({ label: 'a request', clock })
    const waiting = [1, 2, 3].map(() => watched(scope.run(() => pool.acquire())))
    await settled()

    await scope.close()
    holder.release()
    await settled()

    expect(waiting.map((each) => each.outcome)).toEqual(Array.from({ length: 3 }, () => 'LEASEHOLD_SCOPE_CLOSED'))
    expect(pool.snapshot()).toMatchObject({ connections: { lent: 0, idle: 1 }, waiting: { count: 0 } })
    expect([scope.held, clock.keepsAlive]).toEqual([0, false])
  })

  it('a scope that closes in the moment in which its session is granted gives it back', async () => {
    const { pool, clock } = openFakePool({ mode: 'session', max: 1 })
    const holder = await pool.acquire()
    const scope = openScope({ label: 'a request', clock })
    const waiting = [1, 2].map(() => watched(scope.run(() => pool.acquire())))
    await settled()

    holder.release()
    await scope.close()
    await settled()

    expect(waiting.map((each) => each.outcome)).toEqual(['LEASEHOLD_SCOPE_CLOSED', 'LEASEHOLD_SCOPE_CLOSED'])
    expect(pool.snapshot().connections).toMatchObject({ lent: 0, idle: 1 })
  })

  it('a caller that gives up does not wait for the others’ session', async () => {
    const { pool, clock } = openFakePool({ mode: 'session', max: 1, acquireTimeoutMs: 1_000 })
    await pool.acquire()
    const scope = openScope({ label: 'a request', clock })
    const first = watched(scope.run(() => pool.acquire()))
    const controller = new AbortController()
    const second = watched(scope.run(() => pool.acquire({ signal: controller.signal })))
    const third = watched(scope.run(() => pool.acquire({ timeoutMs: 100 })))
    await settled()

    controller.abort()
    await clock.advanceAsync(100)

    expect([first.outcome, second.outcome, third.outcome]).toEqual([
      'pending',
      'LEASEHOLD_ABORTED',
      'LEASEHOLD_ACQUIRE_TIMEOUT',
    ])
  })

  it('a scope whose session died gets a new one for its next lease', async () => {
    const { pool, driver, clock } = openFakePool({ mode: 'session', max: 1 })

    await runInScope({ label: 'a request', clock }, async () => {
      const first = await pool.acquire()
      driver.kill(first.client)
      first.release()
      expect((await pool.acquire()).client.id).toBe(2)
    })

    expect(pool.snapshot().connections).toMatchObject({ lent: 0, idle: 1, total: 1 })
  })

  it('a lease that is discarded takes the whole session with it', async () => {
    const { pool, clock } = openFakePool({ mode: 'session', max: 1 })

    await runInScope({ label: 'a request', clock }, async () => {
      const [first, second] = await Promise.all([pool.acquire(), pool.acquire()])
      first.discard('broken')
      expect(second.active).toBe(false)
      expect((await pool.acquire()).client.id).toBe(2)
    })

    expect(pool.snapshot()).toMatchObject({ connections: { lent: 0, idle: 1 }, counts: { closed: { discarded: 1 } } })
  })

  it('a lease is never granted on a session that ended in the same moment', async () => {
    for (let turns = 0; turns < 8; turns += 1) {
      const { pool, clock } = openFakePool({ mode: 'session', max: 1 })
      const scope = openScope({ label: 'a request', clock })
      const first = await scope.run(() => pool.acquire())
      const second = watched(scope.run(() => pool.acquire()))
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve()
      first.discard('broken')
      await settled()

      if (second.value.active) expect(await second.value.client.query('select')).toBe('select on 2')
      expect(second.value.active).toBe(second.value.connectionId === 2)
      await scope.close()
      expect(pool.snapshot().connections.lent).toBe(0)
    }
  })

  it('who waits for the session of a scope is sent away when the pool closes', async () => {
    const { pool, clock } = openFakePool({ mode: 'session', max: 1 })
    const holder = await pool.acquire()
    const scope = openScope({ label: 'a request', clock })
    const waiting = [1, 2, 3].map(() => watched(scope.run(() => pool.acquire())))
    await settled()
    const closing = watched(pool.close())
    holder.release()
    await settled()

    expect(waiting.map((each) => each.outcome)).toEqual(Array.from({ length: 3 }, () => 'LEASEHOLD_POOL_CLOSED'))
    expect([closing.outcome, clock.keepsAlive, scope.held]).toEqual(['fulfilled', false, 0])
    await scope.close()
  })

  it('a scope can have a mode of its own', async () => {
    const { pool, driver, clock } = openFakePool({ max: 3 })

    await runInScope({ label: 'a request', mode: 'session', clock }, async () => {
      await Promise.all([pool.acquire(), pool.acquire()])
    })
    await runInScope({ label: 'a request', mode: 'statement', clock }, async () => {
      const lease = await pool.acquire()
      await expect(lease.client.query('begin')).rejects.toMatchObject({ code: 'LEASEHOLD_MODE_VIOLATION' })
    })

    expect(driver.sockets.opened).toBe(1)
  })
})
