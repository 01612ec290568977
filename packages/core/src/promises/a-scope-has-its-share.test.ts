import { type FakeClient, openFakePool, settled, watched } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import { type Lease, openScope, runInScope } from '../index.js'

type Held = Lease<FakeClient>

describe('a scope with maxPerScope', () => {
  it('has so many connections at a time, and what it asks for beyond waits for its own, in order', async () => {
    const { pool } = openFakePool({ max: 5, maxPerScope: 2 })
    const scope = openScope({ label: 'greedy' })
    const callers = await scope.run(async () => {
      const all = Array.from({ length: 4 }, () => watched(pool.acquire()))
      await settled()
      return all
    })

    expect(callers.map(({ outcome }) => outcome)).toEqual(['fulfilled', 'fulfilled', 'pending', 'pending'])
    expect(pool.snapshot()).toMatchObject({ waiting: { count: 0, forScope: 2 }, connections: { lent: 2 } })

    callers[1]?.value.release()
    await settled()
    expect(callers.map(({ outcome }) => outcome)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'pending'])

    callers[0]?.value.release()
    callers[2]?.value.release()
    await settled()
    expect(callers[3]?.outcome).toBe('fulfilled')
    expect(pool.snapshot().waiting.forScope).toBe(0)
  })

  it('stands in nobody’s way', async () => {
    const { pool } = openFakePool({ max: 2, maxPerScope: 1 })
    const scope = openScope({ label: 'greedy' })
    const [, second] = scope.run(() => [watched(pool.acquire()), watched(pool.acquire())])
    const other = watched(runInScope({ label: 'modest' }, () => pool.use((client) => client.query('q'))))
    await settled()

    expect([second?.outcome, other.outcome]).toEqual(['pending', 'fulfilled'])
  })

  it('counts neither what joins a transaction nor what shares a session', async () => {
    const { pool } = openFakePool({ max: 3, maxPerScope: 1 })

    await runInScope({ label: 'transaction' }, () =>
      pool.transaction(async () => {
        const lease = await pool.acquire()
        lease.release()
      }),
    )
    await runInScope({ label: 'session', mode: 'session' }, async () => {
      const [first, second] = [await pool.acquire(), await pool.acquire()]
      first.release()
      second.release()
    })

    expect(pool.snapshot()).toMatchObject({ connections: { total: 1, lent: 0 } })
  })

  it('does not wait in a pool that observes, which says that it would have', async () => {
    const { pool, clock } = openFakePool({ max: 5, maxPerScope: 1, observe: true })
    const told: string[] = []
    pool.on('observe', ({ would, why, label }) => told.push(`${would} ${label}: ${why}`))
    const scope = openScope({ label: 'greedy', clock })
    const leases = await scope.run(() => Promise.all([pool.acquire(), pool.acquire()]))
    const third = scope.run(() => pool.tryAcquire())
    for (const lease of leases) lease.release()
    await settled()

    expect(third).toBeUndefined()
    expect(told).toEqual([
      'refuse greedy: its scope holds 1, which is maxPerScope',
      'refuse greedy: its scope holds 1, which is maxPerScope',
    ])
    expect(await scope.run(() => pool.use(() => 'served'))).toBe('served')
    expect(pool.snapshot()).toMatchObject({ connections: { lent: 0, total: 2 }, waiting: { forScope: 0 } })
  })

  it('tells who waits for its own scope to the end what it waited for', async () => {
    const { pool, clock } = openFakePool({ max: 5, maxPerScope: 1, acquireTimeoutMs: 100 })
    const scope = openScope({ label: 'greedy', clock })
    const [first, second] = await scope.run(async () => [await pool.acquire(), pool.acquire()] as const)
    const failed = expect(second).rejects.toMatchObject({
      message: expect.stringContaining('Its scope held 1, which is maxPerScope') as unknown,
      ownHolders: [{ label: 'greedy' }],
    })

    await clock.advanceAsync(100)
    await failed

    first.release()
    expect(watched(scope.run(() => pool.acquire()))).toBeDefined()
    await settled()
    expect(pool.snapshot()).toMatchObject({ connections: { lent: 1 }, waiting: { forScope: 0 } })
  })

  it('grants at once only within its share', async () => {
    const { pool } = openFakePool({ max: 2, maxPerScope: 1 })
    const [one, two] = [await pool.acquire(), await pool.acquire()]
    one.release()
    two.release()
    const scope = openScope({ label: 'greedy' })

    const first = scope.run(() => pool.tryAcquire())
    expect(scope.run(() => pool.tryAcquire())).toBeUndefined()
    first?.release()
    expect(scope.run(() => pool.tryAcquire())).toBeDefined()
  })
})

/** What may happen to each of four callers of one scope at each step: nothing, or it leaves. */
const LEAVES = ['stays', 'aborts', 'times out', 'releases'] as const

describe('a place of a scope is never lost', () => {
  const cases: number[][] = []
  for (let code = 0; code < 4 ** 4; code += 1) {
    const ways = [code % 4, Math.floor(code / 4) % 4, Math.floor(code / 16) % 4, Math.floor(code / 64)]
    cases.push(ways)
  }

  it.each([1, 2])('whatever becomes of those who have %d places or wait for one: 512 ways', async (maxPerScope) => {
    for (const [ways, isLate] of cases.flatMap((way) => [false, true].map((late) => [way, late] as const))) {
      const name = `${ways.map((way) => LEAVES[way]).join(', ')}, ${isLate ? 'once some are served' : 'before'}`
      const { pool, clock, driver } = openFakePool({ max: 3, maxPerScope, acquireTimeoutMs: Infinity })
      driver.script.always('connect', 'slow')
      const scope = openScope({ label: 'greedy', clock })
      const controllers = ways.map(() => new AbortController())
      const leases: Array<Promise<Held | undefined>> = scope.run(() =>
        ways.map((way, at) =>
          pool
            .acquire({
              signal: controllers[at]?.signal,
              ...(LEAVES[way] === 'times out' ? { timeoutMs: 10 } : {}),
            })
            .catch(() => undefined),
        ),
      )
      await settled()
      if (isLate) driver.script.openAll(['connect'])
      await settled()
      for (const [at, way] of ways.entries()) if (LEAVES[way] === 'aborts') controllers[at]?.abort()
      await clock.advanceAsync(10)
      driver.script.always('connect', 'ok')
      driver.script.openAll(['connect'])
      for (const lease of leases) void lease.then((held) => held?.release())
      await clock.advanceAsync(10)
      await Promise.all(leases)
      await settled()

      const after = scope.run(() => Array.from({ length: maxPerScope + 1 }, () => watched(pool.acquire())))
      await settled()
      expect(
        after.map(({ outcome }) => outcome),
        name,
      ).toEqual([...Array<string>(maxPerScope).fill('fulfilled'), 'pending'])
      await scope.close()
      await settled()
      expect(after.at(-1)?.outcome, name).toBe('LEASEHOLD_SCOPE_CLOSED')
      expect(pool.snapshot(), name).toMatchObject({ connections: { lent: 0 }, waiting: { count: 0, forScope: 0 } })
      expect(driver.violations, name).toEqual([])
    }
  })
})
