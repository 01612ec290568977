import { type FakeClient, FakeClock, FakeDriver, openFakePool, settled, watched } from '@leasehold/testkit'
import { refuseUnhandledErrors } from '@leasehold/testkit/unhandled'
import { describe, expect, it } from 'vitest'
import { createPool, type Driver, type DriverTransactions, openScope, type Pool, runInScope } from '../index.js'

// ARCHITECTURE.md, promises 1, 3 and 8, with a driver of somebody else's that has bugs.

type Bugs = ReadonlyArray<readonly [string, () => unknown]>

const THROWS: Bugs = [
  [
    'throws',
    () => {
      throw new TypeError('this driver has a bug')
    },
  ],
  [
    'throws undefined',
    () => {
      // oxlint-disable-next-line typescript/only-throw-error -- what a bug may throw
      throw undefined
    },
  ],
  ['returns nothing', () => undefined],
  ['returns what makes no sense', () => 42],
]
/** What a method that returns a promise can do besides, and one that returns nothing: it may have been written as async. */
const REJECTS: Bugs = [
  ...THROWS,
  ['rejects', () => Promise.reject(new TypeError('this driver has a bug'))],
  // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- what a bug may reject with
  ['rejects with null', () => Promise.reject(null)],
]

const METHODS: Readonly<Record<Exclude<keyof Driver<FakeClient>, NotCalled>, Bugs>> = {
  connect: REJECTS,
  check: REJECTS,
  watch: THROWS,
  reset: REJECTS,
  close: REJECTS,
  classify: THROWS,
  isShutdown: THROWS,
  takesWrites: REJECTS,
  lend: THROWS,
  quiesce: REJECTS,
  interrupt: REJECTS,
  truth: REJECTS,
  destroy: REJECTS,
  declare: REJECTS,
  hold: REJECTS,
  redact: THROWS,
}
/** What is no method, and what core has no use for. */
type NotCalled = 'name' | 'undeclarable' | 'transaction' | 'cancel'

const OF_TRANSACTIONS: Readonly<Record<keyof DriverTransactions<FakeClient>, Bugs>> = {
  begin: REJECTS,
  commit: REJECTS,
  rollback: REJECTS,
  savepoint: REJECTS,
  rollbackTo: REJECTS,
  release: REJECTS,
  modes: REJECTS,
  mayRetry: THROWS,
}

/** Breaks a method; the others go on. */
function breakDriver(of: object, method: string, bug: () => unknown): { readonly calls: number; heal(): void } {
  const whole: unknown = Reflect.get(of, method)
  let calls = 0
  const broken = (): unknown => {
    calls += 1
    return bug()
  }
  Object.defineProperty(of, method, { value: broken, configurable: true, writable: true })
  return {
    get calls() {
      return calls
    },
    heal: () => void Object.defineProperty(of, method, { value: whole, configurable: true, writable: true }),
  }
}

function openPool(driver: FakeDriver, clock: FakeClock): Pool<FakeClient> {
  return createPool<FakeClient>(driver, {
    clock,
    max: 2,
    checkAfterIdleMs: 10,
    keepaliveMs: 1_000,
    queryTimeoutMs: 2_000,
    verifySessions: 1,
    allowExitOnIdle: true,
    acquireTimeoutMs: 500,
    idleInTransactionMs: 1_000,
    captureSites: 'off',
    leaks: { overdue: 'reclaim', idleInTransaction: 'reclaim' },
  })
}

/** All that a service may do, one thing after the other: each calls other methods of the driver. */
async function live(pool: Pool<FakeClient>, driver: FakeDriver, clock: FakeClock): Promise<void> {
  const inScope = (settings: Record<string, string>, deadlineMs: number, work: () => Promise<unknown>): void => {
    watched(runInScope({ label: 'a request', settings, deadlineMs, clock }, work))
  }
  const deeds: ReadonlyArray<() => void> = [
    () => void watched(pool.use((client) => client.query('select'))),
    () => inScope({}, 9_000, () => pool.use((client) => client.query('select'))),
    () => inScope({ tenant: '42' }, 9_000, () => pool.use((client) => client.query('select'))),
    () => inScope({ tenant: '43' }, 9_000, () => pool.use(() => settled())),
    () => void watched(pool.use((client) => client.query('begin'))),
    () => void watched(pool.use((client) => client.query('set x'))),
    () => void watched(pool.transaction((client) => client.query('insert a'), { readOnly: false })),
    () => void watched(pool.transaction((client) => client.query('collide'), { retries: 1 })),
    () => void watched(pool.transaction(inside('select'), { readOnly: false })),
    () => void watched(pool.transaction(inside('fail'), { readOnly: false })),
    () => {
      driver.script.next('query', 'never')
      watched(pool.use((client) => void watched(client.query('endless'))))
    },
    () => {
      driver.script.next('query', 'never')
      watched(pool.use((client) => client.query('endless')))
    },
    () => {
      driver.script.next('query', 'never')
      inScope({}, 100, () => pool.use((client) => client.query('endless')))
    },
    () => {
      driver.isReadOnly = true
      watched(pool.use((client) => client.query('insert b')))
    },
    () => {
      driver.isReadOnly = false
      driver.script.next('close', 'error')
      watched(pool.use((_client, lease) => lease.discard('no use')))
    },
    () => void watched(pool.use(({ id }) => driver.sessions[id - 1]?.end(new Error('the backend has gone')))),
    // Nobody is left to be lent one: the third waits until its time is up, and is told who runs what.
    () => {
      for (let caller = 0; caller < 3; caller += 1) watched(pool.use((client) => client.query(`begin ${caller}`)))
      for (let caller = 0; caller < 3; caller += 1) {
        driver.script.next('query', 'never')
        watched(pool.use((client) => client.query(`endless ${caller}`)))
      }
    },
    () => void pool.snapshot(),
  ]
  function inside(statement: string) {
    return (): Promise<unknown> =>
      pool.transaction((client) => client.query(statement), { propagation: 'nested', readOnly: false })
  }
  for (const deed of deeds) {
    deed()
    await clock.advanceAsync(200)
  }
  await clock.advanceAsync(10_000)
}

describe('a driver with a bug', () => {
  refuseUnhandledErrors()

  const ofTransactions = Object.entries(OF_TRANSACTIONS).map(
    ([method, bugs]) => [`transaction.${method}`, bugs] as const,
  )
  const rows = [...Object.entries(METHODS), ...ofTransactions].flatMap(([method, bugs]) =>
    bugs.map(([bug, play]) => [method, bug, play] as const),
  )

  it.each(rows)('whose %s %s loses no slot and no caller, and can be closed', async (method, _bug, play) => {
    const clock = new FakeClock()
    const driver = new FakeDriver()
    const pool = openPool(driver, clock)
    const [, ofTransaction] = method.split('transaction.')
    const broken =
      ofTransaction === undefined
        ? breakDriver(driver, method, play)
        : breakDriver(driver.transaction ?? {}, ofTransaction, play)

    await live(pool, driver, clock)
    expect(broken.calls).toBeGreaterThan(0)
    broken.heal()
    await clock.advanceAsync(60_000)

    const asked = [watched(pool.acquire()), watched(pool.acquire())]
    await clock.advanceAsync(400)
    expect(asked.map(({ outcome }) => outcome)).toEqual(['fulfilled', 'fulfilled'])
    expect(pool.snapshot().connections).toMatchObject({ lent: 2, total: 2 })
    for (const lease of asked) lease.value.release()
    const closed = watched(pool.close())
    await clock.advanceAsync(20_000)
    expect(closed.outcome).toBe('fulfilled')
    expect(pool.snapshot().connections.total).toBe(0)
    await settled()
  })

  it('that cannot watch what it opened says so to who waits, and closes it', async () => {
    const { pool, driver } = openFakePool({ max: 1, backoff: false, breaker: false })
    const bug = new TypeError('this driver has a bug')
    const broken = breakDriver(driver, 'watch', () => {
      throw bug
    })

    const asked = watched(pool.acquire())
    await settled()

    expect(asked.state).toMatchObject({
      error: { code: 'LEASEHOLD_CONNECT_FAILED', phase: 'connect', timedOut: false, cause: bug },
    })
    expect(asked.state).toMatchObject({ error: { message: expect.stringContaining('its driver failed to watch it') } })
    expect([driver.sockets.opened, driver.sockets.total, pool.snapshot().connections.total]).toEqual([1, 0, 0])
    broken.heal()
    ;(await pool.acquire()).release()
    await pool.close()
  })

  it.each(['reset', 'quiesce'] as const)(
    'that fails to clean a session in its %s, without a word of why, has nobody meet it again',
    async (method) => {
      const { pool, driver } = openFakePool({ max: 1 })
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- what a bug may reject with
      breakDriver(driver, method, () => Promise.reject(undefined))
      const lease = await pool.acquire()
      await lease.client.query('begin')
      if (method === 'quiesce') driver.script.next('query', 'never')
      watched(lease.client.query('select'))
      lease.release()
      await settled()

      expect((await pool.acquire()).client.id).toBe(2)
      expect(pool.snapshot().counts.closed['reset-failed']).toBe(1)
    },
  )

  it('that fails to take declared settings runs nothing without them, whoever asks', async () => {
    const { pool, driver, clock } = openFakePool({ max: 1, maxPerScope: 1 })
    const bug = new TypeError('this driver has a bug')
    const refused = { code: 'LEASEHOLD_SETTINGS_FAILED', phase: 'settings', settings: ['tenant'], cause: bug }
    const broken = breakDriver(driver, 'declare', () => {
      throw bug
    })
    const settings = { tenant: '42' }

    // Of a new connection, after waiting, and at once.
    await expect(pool.acquire({ settings })).rejects.toMatchObject(refused)
    broken.heal()
    const lease = await pool.acquire()
    const waiting = watched(pool.acquire({ settings }))
    const another = breakDriver(driver, 'declare', () => {
      throw bug
    })
    lease.release()
    await settled()
    expect(waiting.state).toMatchObject({ error: refused })
    another.heal()
    ;(await pool.acquire()).release()
    breakDriver(driver, 'declare', () => {
      throw bug
    })
    const scope = openScope({ label: 'a request', settings, clock })
    expect(() => scope.run(() => pool.tryAcquire())).toThrow(expect.objectContaining(refused))
    await scope.close()

    // One that is held, and is to carry others from now on, is over.
    const session = openScope({ label: 'a session', mode: 'session', clock })
    const held = await session.run(() => pool.acquire())
    session.set(settings)
    await expect(held.client.query('select')).rejects.toMatchObject({ code: 'LEASEHOLD_LEASE_RELEASED' })
    await session.close()

    const closed = watched(pool.close())
    await settled()
    expect([closed.outcome, pool.snapshot().connections.total]).toEqual(['fulfilled', 0])
  })
})
