import { type FakeClient, openFakePool, settled, watched, type Watched } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import { type Pool, runInScope, SelfDeadlockError } from '../index.js'

// Code that waits for what only it could give back is told so, long before its deadline.

function errorOf(asked: Watched<unknown>): SelfDeadlockError {
  if (asked.state.is === 'rejected' && asked.state.error instanceof SelfDeadlockError) return asked.state.error
  throw new Error(`it came to ${asked.outcome}`)
}

/** Holds a connection in a frame of its own until its gate opens, and then asks for one more. */
function holdAndAsk(pool: Pool<FakeClient>, label: string, gate: Promise<void>): Watched<unknown> {
  return watched(
    pool.use(
      async () => {
        await gate
        return pool.use(() => label, { label: `${label}, inner` })
      },
      { label },
    ),
  )
}

function openGate(): { readonly gate: Promise<void>; readonly open: () => void } {
  let open = (): void => {}
  const gate = new Promise<void>((resolve) => (open = resolve))
  return { gate, open }
}

describe('a chain of calls that holds all connections and asks for one more', () => {
  it('is refused at once, and told both places', async () => {
    const { pool, clock } = openFakePool({ max: 1 })
    const asked = watched(
      (function outer() {
        return pool.use(
          async () =>
            function inner() {
              return pool.use(() => 'never', { label: 'audit' })
            }.call(undefined),
          { label: 'GET /orders' },
        )
      })(),
    )
    await settled()

    expect(errorOf(asked)).toMatchObject({
      code: 'LEASEHOLD_SELF_DEADLOCK',
      phase: 'queue',
      statusCode: undefined,
      isAlone: true,
      limit: 1,
      label: 'audit',
      holders: [
        {
          label: 'GET /orders',
          site: expect.stringMatching(/at outer \(.*nobody-waits-for-itself/),
          askedLabel: 'audit',
          askedSite: expect.stringMatching(/at inner \(.*nobody-waits-for-itself/),
        },
      ],
    })
    expect(errorOf(asked).message).toMatch(
      /^audit asked for one more while its own calls hold the one connection of pool "test" \(GET \/orders held one at outer .* and audit asked at inner .*\)\. Use the connection/,
    )
    expect([clock.now(), pool.snapshot().connections.idle]).toEqual([1_000, 1])
  })

  it('is refused in any mixture of use, transaction and requires-new, of one or of many connections', async () => {
    const { pool } = openFakePool({ max: 2, overflow: 1 })
    const asked = watched(
      pool.use(() =>
        pool.transaction(() =>
          pool.transaction(() => pool.transaction(() => 1, { propagation: 'requires-new' }), {
            propagation: 'requires-new',
          }),
        ),
      ),
    )
    await settled()
    expect(errorOf(asked)).toMatchObject({ limit: 3, isAlone: true })
    expect(errorOf(asked).holders).toHaveLength(3)
    expect(pool.snapshot().connections.lent).toBe(0)
  })

  it('is refused without a transaction as well, and when it asks by acquire or at a facade', async () => {
    const { pool } = openFakePool({ max: 1 })
    const asked = watched(pool.transaction(() => pool.acquire(), { propagation: 'not-supported' }))
    await settled()
    expect(asked.outcome).toBe('LEASEHOLD_SELF_DEADLOCK')
  })

  it('is served where it joins what it holds, and where there is another connection', async () => {
    const { pool } = openFakePool({ max: 1 })
    expect(await pool.transaction(() => pool.use(() => pool.transaction(() => 'joined')))).toBe('joined')
    const two = openFakePool({ max: 2 })
    expect(await two.pool.use(() => two.pool.use(() => 'another'))).toBe('another')
  })

  it('is served when what it had held is over', async () => {
    const { pool } = openFakePool({ max: 1 })
    let later = (): Promise<unknown> => Promise.reject(new Error('not yet'))
    await pool.use(() => {
      const { gate, open } = openGate()
      const asked = gate.then(() => pool.use(() => 'served'))
      later = () => {
        open()
        return asked
      }
    })
    expect(await later()).toBe('served')
  })

  it('waits in a pool that observes, which says that it would have refused', async () => {
    const { pool, clock } = openFakePool({ max: 1, observe: true, acquireTimeoutMs: 400 })
    const told: string[] = []
    pool.on('observe', ({ would, why }) => told.push(`${would}: ${why}`))
    const asked = watched(pool.use(() => pool.acquire()))
    await clock.advanceAsync(399)
    expect(asked.outcome).toBe('pending')
    await clock.advanceAsync(1)
    expect(asked.outcome).toBe('LEASEHOLD_ACQUIRE_TIMEOUT')
    expect(told).toEqual([
      'refuse: its own calls hold all connections',
      'refuse: everybody who holds a connection waits for one more',
    ])
  })
})

describe('callers who hold all connections together and all wait for one more', () => {
  it('go on when the last of them is refused, which happens when nothing has moved for deadlockGraceMs', async () => {
    const { pool, clock } = openFakePool({ max: 2, captureSites: 'always' })
    const { gate, open } = openGate()
    const [first, last] = [holdAndAsk(pool, 'GET /a', gate), holdAndAsk(pool, 'GET /b', gate)]
    await clock.advanceAsync(50)
    open()
    await clock.advanceAsync(99)
    expect([first.outcome, last.outcome]).toEqual(['pending', 'pending'])

    await clock.advanceAsync(1)

    expect(first).toMatchObject({ state: { is: 'fulfilled', value: 'GET /a' } })
    const error = errorOf(last)
    expect(error).toMatchObject({ isAlone: false, statusCode: 503, retryAfterMs: 1_000, label: 'GET /b, inner' })
    expect(error.holders).toMatchObject([
      { label: 'GET /a', askedLabel: 'GET /a, inner' },
      { label: 'GET /b', askedLabel: 'GET /b, inner' },
    ])
    for (const { site, askedSite } of error.holders) {
      expect([site, askedSite]).toEqual([
        expect.stringContaining('nobody-waits-for-itself.test.ts'),
        expect.stringContaining('nobody-waits-for-itself.test.ts'),
      ])
    }
    expect(pool.snapshot()).toMatchObject({ connections: { lent: 0 }, waiting: { count: 0 } })
  })

  it('are refused one after the other, as long as those that remain wait for each other', async () => {
    const { pool, clock } = openFakePool({ max: 2 })
    const { gate, open } = openGate()
    // Each of the two has asked twice.
    const asked = ['a', 'b'].map((label) =>
      watched(
        pool.use(async () => {
          await gate
          return Promise.allSettled([pool.use(() => label), pool.use(() => label)])
        }),
      ),
    )
    await settled()
    open()
    await clock.advanceAsync(100)
    expect(asked.map(({ outcome }) => outcome)).toEqual(['pending', 'pending'])
    await clock.advanceAsync(100)
    expect(asked.map(({ outcome }) => outcome)).toEqual(['fulfilled', 'fulfilled'])
    const ends = asked.flatMap(({ state }) =>
      state.is === 'fulfilled' ? (state.value as unknown as Array<{ status: string }>).map(({ status }) => status) : [],
    )
    expect(ends.filter((status) => status === 'rejected')).toHaveLength(2)
  })

  it('are left alone as long as one of the holders may go on, and learn at their deadline what they hold themselves', async () => {
    const { pool, clock } = openFakePool({ max: 2, acquireTimeoutMs: 1_000 })
    const { gate, open } = openGate()
    const asked = holdAndAsk(pool, 'GET /a', gate)
    await pool.acquire({ label: 'job' })
    open()
    await clock.advanceAsync(999)
    expect(asked.outcome).toBe('pending')
    await clock.advanceAsync(1)

    expect(asked.state).toMatchObject({
      error: {
        code: 'LEASEHOLD_ACQUIRE_TIMEOUT',
        ownHolders: [{ label: 'GET /a' }],
        message: expect.stringContaining('; probably by the caller itself: GET /a for 1000 ms'),
        remedy: 'Use the connection that the caller holds already, or release it first',
      },
    })
  })

  it('are left alone while a statement runs, and for deadlockGraceMs after it', async () => {
    const { pool, driver, clock } = openFakePool({ max: 2, deadlockGraceMs: 200 })
    driver.script.next('query', 'slow')
    const { gate, open } = openGate()
    const first = holdAndAsk(pool, 'GET /a', gate)
    const last = watched(
      pool.use(async (client) => {
        await gate
        watched(client.query('slow'))
        return pool.use(() => 'never')
      }),
    )
    await settled()
    open()
    await clock.advanceAsync(1_000)
    expect([first.outcome, last.outcome]).toEqual(['pending', 'pending'])
    driver.script.open('query')
    await clock.advanceAsync(199)
    expect(last.outcome).toBe('pending')
    await clock.advanceAsync(200)
    expect([first.outcome, last.outcome]).toEqual(['fulfilled', 'LEASEHOLD_SELF_DEADLOCK'])
  })

  it('are found through two pools, each of which waits for the other', async () => {
    const [orders, users] = [openFakePool({ max: 1, name: 'orders' }), openFakePool({ max: 1, name: 'users' })]
    const { gate, open } = openGate()
    const first = watched(orders.pool.use(() => gate.then(() => users.pool.use(() => 'served')), { label: 'a' }))
    const last = watched(users.pool.use(() => gate.then(() => orders.pool.use(() => 'served')), { label: 'b' }))
    await settled()
    open()
    await settled()
    for (const { clock } of [orders, users]) await clock.advanceAsync(100)
    for (const { clock } of [orders, users]) await clock.advanceAsync(100)
    expect([first.outcome, last.outcome]).toEqual(['fulfilled', 'LEASEHOLD_SELF_DEADLOCK'])
    expect(
      errorOf(last)
        .holders.map(({ label }) => label)
        .sort(),
    ).toEqual(['a', 'b'])
  })

  it('wait for their deadlines where deadlockGraceMs is Infinity', async () => {
    const { pool, clock } = openFakePool({ max: 2, deadlockGraceMs: Infinity })
    const { gate, open } = openGate()
    const asked = [holdAndAsk(pool, 'a', gate), holdAndAsk(pool, 'b', gate)]
    await settled()
    open()
    await clock.advanceAsync(4_999)
    expect(asked.map(({ outcome }) => outcome)).toEqual(['pending', 'pending'])
    await clock.advanceAsync(1)
    expect(asked[0]?.outcome).toBe('LEASEHOLD_ACQUIRE_TIMEOUT')
  })
})

describe('a caller whose scope holds all connections otherwise', () => {
  it('learns so when its deadline passes', async () => {
    const { pool, clock } = openFakePool({ max: 1, acquireTimeoutMs: 300 })
    await runInScope({ label: 'GET /orders', clock }, async () => {
      await pool.acquire()
      const asked = watched(pool.acquire())
      await clock.advanceAsync(300)
      expect(asked.state).toMatchObject({ error: { ownHolders: [{ label: 'GET /orders' }] } })
    })
  })

  it('is told nothing of the kind where others hold them', async () => {
    const { pool, clock } = openFakePool({ max: 1, acquireTimeoutMs: 300 })
    await pool.acquire()
    const asked = watched(runInScope({ label: 'GET /orders', clock }, () => pool.acquire()))
    await clock.advanceAsync(300)
    expect(asked.state).toMatchObject({ error: { ownHolders: [] } })
  })
})

it('what use is given runs in the caller’s scope, lazy queries too, and leaves no trace in what comes after', async () => {
  const { pool } = openFakePool({ max: 1 })
  const lazy = { then: (resolve: (value: unknown) => void) => void pool.acquire().then(resolve, resolve) }
  expect(await pool.use(() => lazy as unknown as PromiseLike<unknown>)).toBeInstanceOf(SelfDeadlockError)
  expect(await pool.use(() => 'as before')).toBe('as before')
})
