import { type FakePool, Gate, openFakePool, settled, type Watched, watched } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import { openScope, runInScope } from '../index.js'

/** Holds a connection, and asks for one more once `gate` opens. */
function holdAndAsk(pool: FakePool['pool'], label: string, gate: Gate): Watched<unknown> {
  const inner = (): Promise<string> => gate.promise.then(() => pool.use(() => 'served', { label: `${label}, inner` }))
  return watched(pool.use(inner, { label }))
}

describe('a scope whose calls hold its whole share, and ask for more,', () => {
  it('is refused at once where one chain of them holds it all, and told both places', async () => {
    const { pool, clock } = openFakePool({ max: 5, maxPerScope: 2, captureSites: 'always' })
    const asked = watched(
      runInScope({ label: 'GET /orders', clock }, () =>
        pool.use(() => pool.transaction(() => pool.transaction(() => 'never', { propagation: 'requires-new' }))),
      ),
    )
    await settled()

    expect(asked.state).toMatchObject({
      error: {
        code: 'LEASEHOLD_SELF_DEADLOCK',
        isAlone: true,
        limit: 2,
        scope: 'GET /orders',
        statusCode: undefined,
        message: expect.stringMatching(
          /^GET \/orders asked for one more while its own calls hold all 2 connections that scope "GET \/orders" may have of pool "test" .*or raise maxPerScope$/,
        ) as unknown,
        holders: [0, 1].map(() => ({
          label: 'GET /orders',
          site: expect.stringContaining('no-scope-waits-for-itself') as unknown,
          askedSite: expect.stringContaining('no-scope-waits-for-itself') as unknown,
        })),
      },
    })
    expect([clock.now(), pool.snapshot().connections.lent]).toEqual([1_000, 0])
  })

  it('is served where the chain is of several scopes, each within its own share', async () => {
    const { pool } = openFakePool({ max: 5, maxPerScope: 1 })
    const nested = runInScope({ label: 'outer' }, () =>
      pool.use(() => runInScope({ label: 'inner' }, () => pool.use(() => 'served'))),
    )
    expect(await nested).toBe('served')
  })

  it('has the last of several refused after deadlockGraceMs, and the others go on, whatever else runs in the pool', async () => {
    const { pool, driver, clock } = openFakePool({ max: 5, maxPerScope: 2 })
    const gate = new Gate()
    const scope = openScope({ label: 'GET /orders', clock })
    const [first, last] = scope.run(() => [holdAndAsk(pool, 'a', gate), holdAndAsk(pool, 'b', gate)] as const)
    const other = await pool.acquire()
    driver.script.next('query', 'never')
    watched(other.client.query('of somebody else'))
    await settled()
    gate.open()
    await clock.advanceAsync(99)
    expect([first.outcome, last.outcome]).toEqual(['pending', 'pending'])

    await clock.advanceAsync(100)

    expect(first.outcome).toBe('fulfilled')
    expect(last.state).toMatchObject({
      error: {
        code: 'LEASEHOLD_SELF_DEADLOCK',
        isAlone: false,
        label: 'b, inner',
        scope: 'GET /orders',
        holders: [
          { label: 'a', askedLabel: 'a, inner' },
          { label: 'b', askedLabel: 'b, inner' },
        ],
        message: expect.stringContaining(
          'all 2 connections that scope "GET /orders" may have of pool "test" are held by callers who wait for one more',
        ) as unknown,
      },
    })
    expect(pool.snapshot()).toMatchObject({ connections: { lent: 1 }, waiting: { forScope: 0 } })
  })

  it('is told by itself, of many scopes in the same trouble: each has its last one refused, at the same time', async () => {
    const { pool, clock } = openFakePool({ max: 10, maxPerScope: 2 })
    const gate = new Gate()
    const asked = Array.from({ length: 4 }, (_, number) =>
      openScope({ label: `GET /${number}`, clock }).run(() =>
        ['a', 'b'].map((label) => holdAndAsk(pool, `${label}${number}`, gate)),
      ),
    )
    await settled()
    gate.open()
    await clock.advanceAsync(200)

    for (const [number, [first, last]] of asked.entries()) {
      expect(first?.outcome).toBe('fulfilled')
      const holders = [{ label: `a${number}` }, { label: `b${number}` }]
      expect(last?.state).toMatchObject({ error: { code: 'LEASEHOLD_SELF_DEADLOCK', holders } })
    }
  })

  it('is left alone as long as one of its leases may come back', async () => {
    const { pool, clock } = openFakePool({ max: 5, maxPerScope: 2 })
    const gate = new Gate()
    const scope = openScope({ label: 'GET /orders', clock })
    const [asked, loose] = await scope.run(async () => [holdAndAsk(pool, 'a', gate), await pool.acquire()] as const)
    gate.open()
    await clock.advanceAsync(1_000)
    expect(asked.outcome).toBe('pending')

    loose.release()
    await settled()

    expect(asked.outcome).toBe('fulfilled')
  })

  it('is found also through the queue of the pool, where one has a place and waits for what the others hold', async () => {
    const { pool, clock } = openFakePool({ max: 2, maxPerScope: 2 })
    const [gate, later] = [new Gate(), new Gate()]
    const scope = openScope({ label: 'GET /orders', clock })
    const mine = scope.run(() => holdAndAsk(pool, 'mine', later))
    const other = holdAndAsk(pool, 'other', gate)
    await settled()
    // It takes the second place of its scope, and holds nothing else.
    const placed = scope.run(() => watched(pool.use(() => 'served', { label: 'placed' })))
    gate.open()
    later.open()
    await settled()
    expect(pool.snapshot().waiting).toMatchObject({ count: 2, forScope: 1 })

    await clock.advanceAsync(300)

    expect([mine.outcome, other.outcome].toSorted()).toEqual(['LEASEHOLD_SELF_DEADLOCK', 'fulfilled'])
    expect(placed.outcome).toBe('fulfilled')
  })

  it('has none refused that holds no connection, though it came last: that would help nobody', async () => {
    const { pool, clock } = openFakePool({ max: 2, maxPerScope: 2 })
    const gate = new Gate()
    const scope = openScope({ label: 'GET /orders', clock })
    const mine = scope.run(() => holdAndAsk(pool, 'mine', gate))
    const other = holdAndAsk(pool, 'other', gate)
    await settled()
    const controller = new AbortController()
    const [gone, placed] = scope.run(() => [
      watched(pool.acquire({ signal: controller.signal })),
      watched(pool.use(() => 'served', { label: 'placed' })),
    ])
    gate.open()
    await settled()
    controller.abort()
    await clock.advanceAsync(300)

    expect([mine.outcome, other.outcome].toSorted()).toEqual(['LEASEHOLD_SELF_DEADLOCK', 'fulfilled'])
    expect([gone?.outcome, placed?.outcome]).toEqual(['LEASEHOLD_ABORTED', 'fulfilled'])
  })
})
