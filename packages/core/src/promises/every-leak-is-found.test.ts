import { collectGarbage, type FakeClient, minimalDriver, openFakePool, settled, watched } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import { createPool, type Driver, openScope, type Pool, type PoolEvents, runInScope } from '../index.js'

// A connection that somebody keeps without need is found, told, and, where that is asked, taken back.

type Leak = Pick<PoolEvents['leak'], 'kind' | 'label' | 'reclaimed'>

function leaksOf(pool: Pick<Pool<never>, 'on'>): Leak[] {
  const leaks: Leak[] = []
  pool.on('leak', ({ kind, label, reclaimed }) => leaks.push({ kind, label, reclaimed }))
  return leaks
}

function wouldsOf(pool: Pick<Pool<never>, 'on'>): string[] {
  const woulds: string[] = []
  pool.on('observe', ({ would, why, label }) => woulds.push(`${would} ${label}: ${why}`))
  return woulds
}

describe('a lease that is held for too long', () => {
  it('is only reported, by default', async () => {
    const { pool, clock } = openFakePool({ leakAfterMs: 100 })
    const leaks = leaksOf(pool)
    const lease = await pool.acquire({ label: 'slow' })

    clock.advance(1_000)

    expect(leaks).toEqual([{ kind: 'overdue', label: 'slow', reclaimed: false }])
    expect(lease.active).toBe(true)
  })

  it('is reclaimed where that is asked: what runs is ended, its transaction rolled back, and its handle is dead', async () => {
    const { pool, driver, clock } = openFakePool({ max: 1, leakAfterMs: 100, leaks: { overdue: 'reclaim' } })
    const leaks = leaksOf(pool)
    const returned: unknown[] = []
    pool.on('leak-returned', (leak) => returned.push(leak))
    const { client } = await pool.acquire({ label: 'slow' })
    await client.query('begin')
    driver.script.next('query', 'never')
    const running = watched(client.query('endless'))
    const next = watched(pool.acquire())

    await clock.advanceAsync(100)

    expect(leaks).toEqual([{ kind: 'overdue', label: 'slow', reclaimed: true }])
    expect([running.outcome, next.outcome]).toEqual(['FakeDriverError: the statement was cancelled', 'fulfilled'])
    expect(driver.sessions[0]?.transaction).toBe('idle')
    await expect(client.query('late')).rejects.toMatchObject({ code: 'LEASEHOLD_LEASE_RELEASED' })
    await expect(client.query('late')).rejects.toThrow('it was held for too long')
    expect([returned, driver.violations]).toEqual([[], []])
  })

  it('is nobody’s business where that is switched off', async () => {
    const { pool, clock } = openFakePool({ leakAfterMs: 100, leaks: { overdue: 'off' } })
    const leaks = leaksOf(pool)
    await pool.acquire()
    clock.advance(10_000)
    expect([leaks, pool.snapshot().counts.leaks.overdue]).toEqual([[], 0])
  })

  it('stays with its holder in a pool that observes, which says what it would have done', async () => {
    const { pool, clock } = openFakePool({ leakAfterMs: 100, observe: true, leaks: { overdue: 'reclaim' } })
    const woulds = wouldsOf(pool)
    const lease = await pool.acquire({ label: 'slow' })
    clock.advance(100)
    expect([lease.active, woulds]).toEqual([true, ['reclaim slow: it was held for too long']])
  })
})

describe('a lease that its scope left over', () => {
  it.each(['report', 'off'] as const)('stays with its holder where the pool is told to %s', async (leftOver) => {
    const { pool } = openFakePool({ leaks: { leftOver } })
    const leaks = leaksOf(pool)
    const scope = openScope({ label: 'GET /' })
    const lease = await scope.run(() => pool.acquire())

    await scope.close()

    const reported = [{ kind: 'left-over', label: 'GET /', reclaimed: false }]
    expect([lease.active, leaks]).toEqual([true, leftOver === 'report' ? reported : []])
    lease.release()
    expect(pool.snapshot().connections.lent).toBe(0)
  })

  it('gives up a session that the scope itself shares all the same', async () => {
    const { pool } = openFakePool({ mode: 'session', leaks: 'off' })
    await runInScope({ label: 'GET /' }, async () => (await pool.acquire()).release())
    expect(pool.snapshot().connections.lent).toBe(0)
  })
})

describe('a transaction without a statement for long', () => {
  it('is reported once, when it has been idle for that long', async () => {
    const { pool, clock } = openFakePool({ idleInTransactionMs: 500, leakAfterMs: Infinity })
    const leaks = leaksOf(pool)
    const { client } = await pool.acquire({ label: 'import' })
    clock.advance(2_000)
    await client.query('begin')
    clock.advance(400)
    await client.query('insert one')
    clock.advance(499)
    expect(leaks).toEqual([])

    clock.advance(1)
    expect(leaks).toEqual([{ kind: 'idle-in-transaction', label: 'import', reclaimed: false }])
    clock.advance(10_000)
    expect(leaks).toHaveLength(1)

    await client.query('commit')
    clock.advance(1_000)
    await client.query('begin')
    clock.advance(1_000)
    expect(leaks).toHaveLength(2)
  })

  it('is not idle while a statement runs', async () => {
    const { pool, driver, clock } = openFakePool({ idleInTransactionMs: 500, leakAfterMs: Infinity })
    const leaks = leaksOf(pool)
    const { client } = await pool.acquire()
    await client.query('begin')
    driver.script.next('query', 'slow')
    watched(client.query('slow'))
    await clock.advanceAsync(5_000)
    expect(leaks).toEqual([])
    driver.script.open('query')
    await clock.advanceAsync(499)
    expect(leaks).toEqual([])
    await clock.advanceAsync(1)
    expect(leaks).toHaveLength(1)
  })

  it('is found on a lease that was announced to be held for long as well', async () => {
    const { pool, clock } = openFakePool({ idleInTransactionMs: 500 })
    const leaks = leaksOf(pool)
    const { client } = await pool.acquire({ hold: 'long' })
    await client.query('begin')
    clock.advance(500)
    expect(leaks).toHaveLength(1)
  })

  it('is rolled back, and its connection reclaimed, where that is asked', async () => {
    const { pool, driver, clock } = openFakePool({
      max: 1,
      idleInTransactionMs: 500,
      leaks: { idleInTransaction: 'reclaim' },
    })
    const leaks = leaksOf(pool)
    const work = watched(
      pool.transaction(async (client) => {
        await client.query('insert lost')
        await new Promise(() => {})
      }),
    )
    await settled()
    await clock.advanceAsync(500)

    expect(leaks).toMatchObject([{ kind: 'idle-in-transaction', reclaimed: true }])
    expect([driver.sessions[0]?.transaction, pool.snapshot().connections.idle, driver.rows]).toEqual(['idle', 1, []])
    expect(work.outcome).toBe('pending')
  })
})

describe('a lease that its holder has forgotten', () => {
  /** In a function of its own, so that nothing of it is left on the stack. */
  async function forget(pool: Pool<FakeClient>, statement?: string): Promise<void> {
    const { client } = await pool.acquire({ label: 'forgetful' })
    if (statement !== undefined) await client.query(statement)
  }

  it('comes back when the garbage collector has taken its handles, and is reported', async () => {
    const { pool, driver, clock } = openFakePool({ max: 1 })
    const leaks = leaksOf(pool)
    await forget(pool, 'begin')
    await clock.advanceAsync(1_000)
    expect(leaks).toEqual([])

    await collectGarbage()

    expect(leaks).toEqual([{ kind: 'forgotten', label: 'forgetful', reclaimed: true }])
    expect([driver.sessions[0]?.transaction, pool.snapshot().connections.idle]).toEqual(['idle', 1])
    expect(driver.violations).toEqual([])
  })

  it('comes back though nobody ever looked at its client', async () => {
    const { pool, clock } = openFakePool({ max: 1 })
    await pool.acquire()
    await clock.advanceAsync(1_000)
    await collectGarbage()
    expect(pool.snapshot()).toMatchObject({ connections: { idle: 1 }, counts: { leaks: { forgotten: 1 } } })
  })

  it('is not forgotten as long as its holder has the lease, the client, or a way to release it', async () => {
    const { pool, clock } = openFakePool()
    const lease = await pool.acquire()
    const { client } = await pool.acquire()
    const release = await pool.acquire().then((one) => () => one.release())
    const lateClient = await pool.acquire()
    await clock.advanceAsync(1_000)
    const late = lateClient.client
    await collectGarbage()

    expect(pool.snapshot().connections.lent).toBe(4)
    lease.release()
    release()
    expect(await Promise.all([client.query('one'), late.query('two')])).toHaveLength(2)
  })

  it('is not taken before the statement that still runs has its answer', async () => {
    const { pool, driver, clock } = openFakePool({ max: 1 })
    driver.script.next('query', 'slow')
    const answer = watched(
      (async () => {
        const { client } = await pool.acquire()
        return client.query('slow')
      })(),
    )
    await clock.advanceAsync(1_000)
    await collectGarbage()
    expect([answer.outcome, pool.snapshot().connections.lent]).toEqual(['pending', 1])

    driver.script.open('query')
    await settled()

    expect([answer.outcome, pool.snapshot().connections.idle]).toEqual(['fulfilled', 1])
  })

  it('comes back from work that waits for what can never come', async () => {
    const { pool, clock } = openFakePool({ max: 1 })
    void pool.use((client) => client.query('one').then(() => new Promise(() => {})))
    await clock.advanceAsync(1_000)
    await collectGarbage()
    expect(pool.snapshot().connections.idle).toBe(1)
  })

  it('is no leak in work without a transaction that has no more use for its client', async () => {
    const { pool, clock } = openFakePool()
    const leaks = leaksOf(pool)
    let finish = (): void => {}
    const work = pool.transaction(() => new Promise<void>((resolve) => (finish = resolve)), {
      propagation: 'not-supported',
    })
    await clock.advanceAsync(1_000)
    await collectGarbage()
    finish()
    await work
    expect(leaks).toEqual([])
  })

  it('is only reported, or not even that, where that is asked', async () => {
    for (const [forgotten, found] of [
      ['report', 1],
      ['off', 0],
    ] as const) {
      const { pool, clock } = openFakePool({ max: 1, leaks: { forgotten } })
      await forget(pool)
      await clock.advanceAsync(1_000)
      await collectGarbage()
      expect(pool.snapshot()).toMatchObject({ connections: { lent: 1 }, counts: { leaks: { forgotten: found } } })
    }
  })

  it('stays lent in a pool that observes, which says what it would have done', async () => {
    const { pool, clock } = openFakePool({ max: 1, observe: true })
    const woulds = wouldsOf(pool)
    await forget(pool)
    await clock.advanceAsync(1_000)
    await collectGarbage()
    expect([pool.snapshot().connections.lent, woulds]).toEqual([1, ['reclaim forgetful: it was forgotten']])
  })

  it('is not looked for where the driver lends the connection itself, which tells of nobody', async () => {
    const { driver, clock } = openFakePool()
    const lendsBareClients: Driver<FakeClient> = { ...minimalDriver(driver), lend: (client) => client }
    for (const bare of [minimalDriver(driver), lendsBareClients]) {
      const pool = createPool<FakeClient>(bare, { clock, leakAfterMs: Infinity })
      const leaks = leaksOf(pool)
      const { client } = await pool.acquire()
      const late = await pool.acquire()
      await clock.advanceAsync(1_000)
      const lateClient = late.client
      await collectGarbage()
      expect([leaks, pool.snapshot().connections.lent]).toEqual([[], 2])
      expect([client.id, lateClient.id]).toHaveLength(2)
    }
  })
})

describe('leaks in the snapshot', () => {
  it('are summed up by kind and call site over the life of the pool, the most frequent first', async () => {
    const { pool, clock } = openFakePool({ captureSites: 'always', leakAfterMs: 100 })
    const forget = (label: string): Promise<void> => runInScope({ label }, async () => void (await pool.acquire()))
    await forget('GET /a')
    await forget('GET /b')
    clock.advance(50)
    await forget('GET /b')
    const lease = await pool.acquire({ label: 'slow' })
    clock.advance(100)
    lease.release()

    const here: unknown = expect.stringContaining('every-leak-is-found.test.ts')
    expect(pool.snapshot().leakSites).toEqual([
      { kind: 'left-over', label: 'GET /b', site: here, count: 2, lastAt: 1_050 },
      { kind: 'left-over', label: 'GET /a', site: here, count: 1, lastAt: 1_000 },
      { kind: 'overdue', label: 'slow', site: here, count: 1, lastAt: 1_150 },
    ])
  })

  it('do not fill the memory, however many labels there are', async () => {
    const { pool } = openFakePool({ captureSites: 'off' })
    const forget = (label: string): Promise<void> => runInScope({ label }, async () => void (await pool.acquire()))
    for (let user = 0; user < 300; user += 1) await forget(`GET /users/${user}`)
    await forget('GET /users/150')

    const { leakSites, counts } = pool.snapshot()
    expect([leakSites.length, counts.leaks['left-over']]).toEqual([200, 301])
    expect(leakSites[0]).toMatchObject({ label: 'GET /users/150', count: 2 })
    expect(leakSites.some(({ label }) => label === 'GET /users/0')).toBe(false)
  })
})

describe('switched off', () => {
  it('nothing is left to wake up for while a lease is held', async () => {
    const { pool, clock } = openFakePool({ leaks: 'off' })
    await pool.acquire()
    // Past what bounded the opening of the connection.
    clock.advance(60_000)
    expect(clock.nextAt).toBe(Infinity)
  })
})
