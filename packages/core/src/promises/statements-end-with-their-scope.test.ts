import { openFakePool, settled, watched } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import { openScope, runInScope, type ScopeOptions } from '../index.js'

function runSlow(options: Partial<ScopeOptions> = {}, pooled: object = {}) {
  const fake = openFakePool({ max: 1, ...pooled })
  fake.driver.script.next('query', 'slow')
  const scope = openScope({ label: 'GET /slow', clock: fake.clock, ...options })
  const slow = scope.run(() => watched(fake.pool.use((client) => client.query('select'))))
  return { ...fake, scope, slow }
}

describe('a statement that runs when its scope aborts', () => {
  it('fails at once, and its connection is nobody else’s before the cancel is done', async () => {
    const { pool, driver, scope, slow } = runSlow()
    await settled()
    driver.script.next('cancel', 'slow')

    const closed = watched(scope.close(new Error('hung up')))
    await settled()
    expect(slow.outcome).toBe('LEASEHOLD_ABORTED')
    const next = watched(pool.acquire())
    await settled()
    expect(next.outcome).toBe('pending')

    driver.script.open('cancel')
    await settled()
    expect([next.outcome, closed.outcome]).toEqual(['fulfilled', 'fulfilled'])
    expect(driver.violations).toEqual([])
  })

  it('is cancelled by the deadline, on the scope’s clock', async () => {
    const { driver, clock, slow } = runSlow({ deadlineMs: 100 })
    await clock.advanceAsync(99)
    expect(slow.outcome).toBe('pending')

    await clock.advanceAsync(1)

    expect(slow.outcome).toBe('LEASEHOLD_ABORTED')
    expect(driver.countOf('interrupt')).toBe(1)
  })

  it.each<[string, Partial<ScopeOptions>, object]>([
    ['by its scope', { cancelOnAbort: false }, {}],
    ['by its pool', {}, { cancelOnAbort: false }],
    ['by a driver that cannot', {}, {}],
    ['by a pool that observes', {}, { observe: true }],
  ])('is let be %s', async (by, scoped, pooled) => {
    const fake = openFakePool({ max: 1, ...pooled }, by.includes('driver') ? { without: ['interrupt'] } : {})
    fake.driver.script.next('query', 'slow')
    const told: string[] = []
    fake.pool.on('observe', ({ would, label }) => told.push(`${would} ${label}`))
    const controller = new AbortController()
    const scope = openScope({ label: 'write', signal: controller.signal, ...scoped })
    const write = scope.run(() => watched(fake.pool.use((client) => client.query('insert x'))))
    await settled()

    controller.abort(new Error('gone'))
    await settled()
    expect(write.outcome).toBe('pending')
    fake.driver.script.open('query')
    await settled()

    expect(write.outcome).toBe('fulfilled')
    expect(fake.driver.rows).toEqual(['x'])
    expect(told).toEqual(by.includes('observes') ? ['interrupt write'] : [])
  })

  it('says that it was the deadline, in a scope inside of the one whose deadline it was', async () => {
    const { pool, driver, clock } = openFakePool({ max: 1 })
    driver.script.next('query', 'never')
    const write = watched(
      runInScope({ label: 'outer', deadlineMs: 100, clock }, () =>
        runInScope({ label: 'inner', clock }, () => pool.use((client) => client.query('insert x'))),
      ),
    )
    await clock.advanceAsync(100)

    expect(write.state).toMatchObject({ error: { why: 'deadline', statusCode: 503 } })
  })

  it('belongs to the innermost scope that says something about it', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    driver.script.next('query', 'slow')
    const outer = openScope({ label: 'outer', cancelOnAbort: false })
    const inner = outer.run(() =>
      watched(runInScope({ label: 'inner' }, () => pool.use((client) => client.query('insert x')))),
    )
    await settled()

    void outer.close(new Error('gone'))
    await settled()
    expect(inner.outcome).toBe('pending')
    driver.script.open('query')
    await settled()
    expect(inner.outcome).toBe('fulfilled')
  })
})

describe('queryTimeoutMs', () => {
  it('counts from each statement, needs no timer for any, and leaves the lease to its holder', async () => {
    const { pool, driver, clock } = openFakePool({ max: 1, queryTimeoutMs: 100 })
    const lease = await pool.acquire()
    for (let count = 0; count < 5; count += 1) {
      driver.script.next('query', 'slow')
      const quick = lease.client.query('select')
      await clock.advanceAsync(99)
      driver.script.open('query')
      await quick
    }
    driver.script.next('query', 'slow')
    const slow = watched(lease.client.query('select'))
    await clock.advanceAsync(99)
    expect(slow.outcome).toBe('pending')

    await clock.advanceAsync(1)

    expect(slow.outcome).toBe('LEASEHOLD_ABORTED')
    expect(await lease.client.query('select')).toBe('select on 1')
    expect(clock.pending).toBeLessThanOrEqual(1)
  })

  it('says when the transaction is lost with it', async () => {
    const { pool, driver, clock } = openFakePool({ max: 1, queryTimeoutMs: 100 })
    const work = pool.transaction(async (client) => {
      await client.query('insert x')
      driver.script.next('query', 'slow')
      await client.query('select')
    })
    const failed = expect(work).rejects.toMatchObject({ why: 'query-timeout', inTransaction: true })
    await clock.advanceAsync(100)
    await failed

    expect(driver.rows).toEqual([])
    expect(pool.snapshot().connections).toMatchObject({ lent: 0, idle: 1 })
  })
})

describe('a server that hangs', () => {
  it('answers who awaits a rollback after the deadline within resetTimeoutMs: its session is given up', async () => {
    const { pool, driver, clock } = openFakePool({ max: 1, resetTimeoutMs: 500 })
    const scope = openScope({ label: 'GET /late', clock, deadlineMs: 100 })
    const lease = await scope.run(() => pool.acquire())
    await lease.client.query('begin')
    await clock.advanceAsync(1_000)
    driver.script.next('query', 'slow')
    const rollback = watched(lease.client.query('rollback'))
    await clock.advanceAsync(499)
    expect(rollback.outcome).toBe('pending')

    await clock.advanceAsync(501)

    expect(rollback.outcome).toMatch(/destroyed/)
    expect(driver.countOf('destroy')).toBe(1)
    lease.release()
    await settled()
    expect(pool.snapshot().connections.total).toBe(0)
  })

  it('is left within resetTimeoutMs when it does not heed the cancel of queryTimeoutMs either', async () => {
    const { pool, driver, clock } = openFakePool({ max: 1, queryTimeoutMs: 100, resetTimeoutMs: 500 })
    const lease = await pool.acquire()
    driver.script.next('query', 'slow')
    driver.script.next('cancel', 'slow')
    const slow = watched(lease.client.query('select'))
    await clock.advanceAsync(100)
    expect(slow.outcome).toBe('LEASEHOLD_ABORTED')

    await clock.advanceAsync(499)
    expect(driver.countOf('destroy')).toBe(0)
    await clock.advanceAsync(1)

    expect(driver.countOf('destroy')).toBe(1)
    lease.release()
    await settled()
    expect(pool.snapshot().connections.total).toBe(0)
  })

  it('is not presumed where only a part of a transaction has aborted, and another part has its statement run for long', async () => {
    const { pool, driver, clock } = openFakePool({ max: 1, resetTimeoutMs: 500 })
    const whole = watched(
      pool.transaction(async (client) => {
        const part = openScope({ label: 'a part', clock, deadlineMs: 100 })
        await part.run(() => pool.acquire())
        driver.script.next('query', 'slow')
        await client.query('insert x')
      }),
    )
    await clock.advanceAsync(5_000)
    expect([whole.outcome, driver.countOf('destroy')]).toEqual(['pending', 0])

    driver.script.open('query')
    await settled()

    expect(whole.outcome).toBe('fulfilled')
    expect(driver.rows).toEqual(['x'])
  })
})
