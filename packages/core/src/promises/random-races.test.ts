import {
  type FakeClient,
  FakeDriverError,
  openFakePool,
  type FakePool,
  type Outcome,
  settled,
  type Step,
  watched,
  type Watched,
} from '@leasehold/testkit'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Lease, openScope, type PoolMode, type Propagation, type Scope } from '../index.js'

/** A transaction whose work inserts, waits for its gate, and inserts more. */
interface Work {
  readonly rows: string[]
  readonly run: Watched<unknown>
  hasEnded: boolean
}

const pick = fc.nat({ max: 100 })
const outcome = fc.constantFrom<Outcome>('ok', 'error', 'slow', 'never')
const step = fc.constantFrom<Step>('connect', 'check', 'reset', 'close', 'quiesce', 'query', 'ready', 'cancel')

const race = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('acquireThen', 'acquire', 'tryAcquire'), pick }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('transaction' as const),
      pick,
      propagation: fc.constantFrom<Propagation[]>('required', 'requires-new', 'nested', 'not-supported', 'supports'),
      timeoutMs: fc.option(fc.integer({ min: 1, max: 400 }), { nil: undefined }),
      retries: fc.nat({ max: 2 }),
      inner: fc.option(fc.constantFrom<Propagation[]>('required', 'nested', 'requires-new'), { nil: undefined }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('open scope' as const),
      deadlineMs: fc.option(fc.integer({ min: 1, max: 500 }), { nil: undefined }),
      mode: fc.constantFrom<PoolMode>('transaction', 'session'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('release', 'query', 'begin', 'kill', 'abort', 'abort scope', 'close scope', 'go on'),
      pick,
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('fault' as const), step, outcome }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('open gates' as const), step }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.nat({ max: 600 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('pause', 'resume', 'reconnect') }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('force' as const),
      to: fc.constantFrom<['open', 'closed', 'automatic']>('open', 'closed', 'automatic'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('resize' as const), max: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const), deadlineMs: fc.nat({ max: 500 }) }) },
)

class Races {
  readonly fakes: FakePool
  readonly works: Work[] = []
  readonly leases: Array<Lease<FakeClient>> = []
  readonly asked: Array<Watched<unknown>> = []
  readonly scopes: Array<{ readonly scope: Scope; readonly controller: AbortController }> = []
  readonly gates: Array<() => void> = []
  readonly controllers: AbortController[] = []
  closing: Watched<void> | undefined
  #rows = 0

  constructor(max: number, min: number) {
    this.fakes = openFakePool({
      max,
      min,
      acquireTimeoutMs: 500,
      connectTimeoutMs: 200,
      checkTimeoutMs: 100,
      resetTimeoutMs: 150,
      closeTimeoutMs: 50,
      closeGraceMs: 50,
      checkAfterIdleMs: 100,
      idleTimeoutMs: 1_000,
      keepaliveMs: 400,
      queryTimeoutMs: 300,
      maxPerScope: 2,
      breaker: { consecutiveFailures: 2, probeAfterMs: 100 },
    })
  }

  hold(lease: Lease<FakeClient>): void {
    // Taken at once, so that the driver sees each lease as it is granted.
    if (lease.active) expect(lease.client.id).toBeGreaterThan(0)
    this.leases.push(lease)
  }

  inScope<T>(number: number, work: () => T): T {
    const chosen = number % 2 === 0 ? this.scopes[number % Math.max(1, this.scopes.length)] : undefined
    return chosen === undefined ? work() : chosen.scope.run(work)
  }

  async insert(client: FakeClient, work: Work): Promise<void> {
    const row = `row${(this.#rows += 1)}`
    await client.query(`insert ${row}`)
    work.rows.push(row)
  }

  transact(each: Extract<typeof race extends fc.Arbitrary<infer R> ? R : never, { do: 'transaction' }>): void {
    const { propagation, timeoutMs, retries, inner } = each
    const { pool } = this.fakes
    const work = { rows: [] as string[], hasEnded: false } as unknown as { -readonly [K in keyof Work]: Work[K] }
    work.run = watched(
      this.inScope(each.pick, () =>
        pool.transaction(
          async (client) => {
            work.rows.splice(0)
            work.hasEnded = false
            await this.insert(client, work)
            await new Promise<void>((resolve) => this.gates.push(resolve))
            if (inner === undefined) await this.insert(client, work)
            else await pool.transaction((own) => own.query('select'), { propagation: inner })
            work.hasEnded = true
          },
          { propagation, retries, ...(timeoutMs === undefined ? {} : { timeoutMs }) },
        ),
      ),
    )
    // What is no transaction stays, whatever comes of the rest.
    if (propagation === 'not-supported' || propagation === 'supports') this.asked.push(work.run)
    else this.works.push(work)
  }

  look(): void {
    const { pool, driver, clock } = this.fakes
    const { connections } = pool.snapshot()
    expect(driver.sockets.total).toBeLessThanOrEqual(connections.total)
    expect(clock.pending).toBeLessThanOrEqual(2)
    const isOfSharing = /two owners|while a statement ran|transaction left/
    expect(driver.violations.filter((violation) => !isOfSharing.test(violation))).toEqual([])
    if (pool.state === 'closed') expect(connections.total).toBe(0)
  }

  async end(): Promise<void> {
    const { pool, driver, clock } = this.fakes
    for (const each of ['connect', 'check', 'reset', 'close', 'quiesce', 'query', 'ready', 'cancel'] as const) {
      driver.script.forget(each)
    }
    driver.script.openAll()
    pool.forceBreaker('automatic')
    pool.resume()
    for (let turn = 0; turn < 8; turn += 1) {
      for (const open of this.gates.splice(0)) open()
      for (const lease of this.leases.splice(0)) lease.release()
      await clock.advanceAsync(1_500)
    }
    const closed = this.scopes.map(({ scope }) => watched(scope.close()))
    await clock.advanceAsync(2_000)
    for (const lease of this.leases.splice(0)) lease.release()
    this.closing ??= watched(pool.close({ deadlineMs: 1_000 }))
    await clock.advanceAsync(5_000)
    expect(this.closing.outcome).toBe('fulfilled')
    const runs = [...this.works.map(({ run }) => run), ...this.asked, ...closed]
    expect(runs.filter(({ outcome: came }) => came === 'pending')).toEqual([])
    this.#expectTruth()
    expect(pool.snapshot()).toMatchObject({ holders: [], waiting: { count: 0 }, connections: { total: 0 } })
    expect([driver.sockets.total, clock.pending, clock.keepsAlive]).toEqual([0, 0, false])
    const { calls } = driver
    pool.reconnect()
    pool.resume()
    pool.resize(3)
    pool.forceBreaker('closed')
    pool.forceBreaker('automatic')
    pool.pause()
    await clock.advanceAsync(2_000)
    expect([driver.calls.length, driver.sockets.total, clock.pending]).toEqual([calls.length, 0, 0])
  }

  /** What was told of a transaction is so. */
  #expectTruth(): void {
    const { rows } = this.fakes.driver
    expect(new Set(rows).size).toBe(rows.length)
    for (const { rows: own, run, hasEnded } of this.works) {
      if (run.state.is === 'fulfilled') expect(rows).toEqual(expect.arrayContaining(own))
      if (run.state.is !== 'rejected') continue
      const { error } = run.state
      const isInDoubt = error instanceof FakeDriverError || (error as { isInDoubt?: boolean }).isInDoubt === true
      if (!(hasEnded && isInDoubt)) expect(rows.filter((row) => own.includes(row))).toEqual([])
    }
  }
}

it(
  'pausing, forcing the breaker and closing while anybody asks, works in transactions and aborts: all are told the truth',
  { timeout: 120_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        fc.nat({ max: 1 }),
        fc.array(race, { maxLength: 60, size: 'max' }),
        async (max, min, steps) => {
          const races = new Races(max, min)
          const { pool, driver, clock } = races.fakes
          for (const each of steps) {
            switch (each.do) {
              case 'acquireThen':
                races.asked.push(
                  watched(
                    new Promise<void>((resolve, reject) =>
                      races.inScope(each.pick, () =>
                        pool.acquireThen(undefined, (lease) => resolve(races.hold(lease)), reject),
                      ),
                    ),
                  ),
                )
                break
              case 'acquire': {
                const controller = new AbortController()
                races.controllers.push(controller)
                const lease = races.inScope(each.pick, () => pool.acquire({ signal: controller.signal }))
                races.asked.push(watched(lease.then((granted) => races.hold(granted))))
                break
              }
              case 'tryAcquire':
                try {
                  const lease = races.inScope(each.pick, () => pool.tryAcquire())
                  if (lease !== undefined) races.hold(lease)
                } catch (error) {
                  expect(error).toHaveProperty('code', expect.stringMatching('LEASEHOLD_'))
                }
                break
              case 'transaction':
                races.transact(each)
                break
              case 'open scope': {
                const controller = new AbortController()
                const { deadlineMs, mode } = each
                const limit = deadlineMs === undefined ? {} : { deadlineMs }
                const scope = openScope({ label: 'a scope', clock, signal: controller.signal, mode, ...limit })
                races.scopes.push({ scope, controller })
                break
              }
              case 'release':
                races.leases.splice(each.pick % Math.max(1, races.leases.length), 1)[0]?.release()
                break
              case 'query':
              case 'begin':
                try {
                  const lease = races.leases[each.pick % Math.max(1, races.leases.length)]
                  if (lease !== undefined) races.asked.push(watched(lease.client.query(each.do)))
                } catch (error) {
                  expect(error).toHaveProperty('code', expect.stringMatching('LEASEHOLD_'))
                }
                break
              case 'kill': {
                const alive = driver.sessions.filter((session) => session.isAlive)
                const session = alive[each.pick % Math.max(1, alive.length)]
                if (session !== undefined) driver.kill(session)
                break
              }
              case 'abort':
                races.controllers[each.pick % Math.max(1, races.controllers.length)]?.abort()
                break
              case 'abort scope':
                races.scopes[each.pick % Math.max(1, races.scopes.length)]?.controller.abort(new Error('gone'))
                break
              case 'close scope':
                watched(races.scopes[each.pick % Math.max(1, races.scopes.length)]?.scope.close() ?? Promise.resolve())
                break
              case 'go on':
                races.gates.splice(each.pick % Math.max(1, races.gates.length), 1)[0]?.()
                break
              case 'fault':
                driver.script.next(each.step, each.outcome)
                break
              case 'open gates':
                driver.script.openAll([each.step])
                break
              case 'advance':
                await clock.advanceAsync(each.ms)
                break
              case 'force':
                pool.forceBreaker(each.to)
                break
              case 'resize':
                pool.resize(each.max)
                break
              case 'close':
                races.closing ??= watched(pool.close({ deadlineMs: each.deadlineMs }))
                break
              case 'pause':
              case 'resume':
              case 'reconnect':
                pool[each.do]()
                break
            }
            races.look()
            await settled()
            races.look()
          }
          await races.end()
        },
      ),
      { numRuns: 400 },
    )
  },
)
