import {
  type FakeClient,
  openFakePool,
  type FakePool,
  type Outcome,
  settled,
  type Step,
  watched,
  type Watched,
} from '@leasehold/testkit'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Lease, openScope, type PoolMode, type PoolOptions, type Priority, type Scope } from '../index.js'

const OVERFLOW = 1
const QUICK = { numRuns: 400 }

interface Caller {
  readonly asked: Watched<Lease<FakeClient>>
  readonly controller: AbortController
}

/** The pool under test, and the handles that a walk has to it. */
class Walk {
  readonly fakes: FakePool
  readonly callers: Caller[] = []
  readonly scopes: Scope[] = []
  closing: Watched<void> | undefined

  constructor(options: Pick<PoolOptions, 'max' | 'min' | 'mode' | 'idleOrder'>) {
    this.fakes = openFakePool({
      ...options,
      overflow: OVERFLOW,
      acquireTimeoutMs: 1_000,
      connectTimeoutMs: 300,
      checkTimeoutMs: 100,
      resetTimeoutMs: 200,
      closeTimeoutMs: 50,
      closeGraceMs: 50,
      checkAfterIdleMs: 100,
      idleTimeoutMs: 2_000,
      keepaliveMs: 700,
      maxLifetimeMs: 10_000,
      maxUses: 7,
    })
  }

  async ask(timeoutMs: number, priority: Priority, scope: Scope | undefined): Promise<void> {
    const controller = new AbortController()
    const acquire = async (): Promise<Lease<FakeClient>> => {
      const lease = await this.fakes.pool.acquire({ timeoutMs, priority, signal: controller.signal })
      // Taken at once, so that the driver sees each lease as it is granted.
      expect(lease.client.id).toBeGreaterThan(0)
      return lease
    }
    this.callers.push({ asked: watched(scope === undefined ? acquire() : scope.run(acquire)), controller })
    await settled()
  }

  get leases(): Array<Lease<FakeClient>> {
    return this.callers.flatMap(({ asked: { state } }) =>
      state.is === 'fulfilled' && state.value.active ? [state.value] : [],
    )
  }

  lookAtTheCounts(): void {
    const { pool, driver, clock } = this.fakes
    const { connections, max, state } = pool.snapshot()
    const { idle, lent, opening, checking, recycling, closing, total, peak } = connections
    expect(idle + lent + opening + checking + recycling + closing).toBe(total)
    expect(Math.min(idle, lent, opening, checking, recycling, closing)).toBeGreaterThanOrEqual(0)
    expect(driver.sockets.total).toBeLessThanOrEqual(total)
    expect(driver.sockets.peak).toBeLessThanOrEqual(peak)
    expect(driver.violations.filter((violation) => !this.#isOfSharing(violation))).toEqual([])
    expect(clock.pending).toBeLessThanOrEqual(1)
    // Nobody waits beside an idle connection, but for who is about to get one that is being opened or checked.
    if (state === 'open' && idle > 0) expect(pool.snapshot().waiting.count).toBeLessThanOrEqual(opening + checking)
    expect(max).toBeGreaterThan(0)
  }

  /** In session mode the leases of a scope share a connection, which the driver takes for a second owner. */
  #isOfSharing(violation: string): boolean {
    return (
      this.fakes.pool.options.mode === 'session' && /two owners|while a statement ran|transaction left/.test(violation)
    )
  }

  /** Everything is given back and closed: nothing must be left. */
  async end(): Promise<void> {
    const { pool, driver, clock } = this.fakes
    for (const step of ['connect', 'check', 'reset', 'close', 'quiesce', 'query', 'ready'] as const) {
      driver.script.always(step, 'ok')
    }
    driver.script.openAll()
    pool.resume()
    await clock.advanceAsync(5_000)
    for (const scope of this.scopes) watched(scope.close())
    for (const lease of this.leases) lease.release()
    await clock.advanceAsync(5_000)
    expect(this.callers.map(({ asked }) => asked.state.is)).not.toContain('pending')
    this.closing ??= watched(pool.close())
    await clock.advanceAsync(20_000)
    expect(this.closing.outcome).toBe('fulfilled')
    const { connections, waiting, holders, state } = pool.snapshot()
    const { peak, ...counts } = connections
    expect(peak).toBeGreaterThanOrEqual(0)
    expect({ state, holders, waiting: waiting.count, ...counts }).toEqual({
      state: 'closed',
      holders: [],
      waiting: 0,
      total: 0,
      idle: 0,
      lent: 0,
      opening: 0,
      checking: 0,
      recycling: 0,
      closing: 0,
    })
    expect(driver.sockets.total).toBe(0)
    expect([clock.pending, clock.keepsAlive]).toEqual([0, false])
  }
}

/** What a pool whose database always answers at once must come to: who holds a lease, and who was told what. */
class Model {
  now = 0
  limit: number
  isPaused = false
  isClosed = false
  /** What became of each caller, in the order of asking. */
  readonly outcomes: string[] = []
  readonly waiting: Array<{
    readonly caller: number
    readonly deadlineAt: number
    readonly scope: number | undefined
  }> = []
  readonly held: Array<{ readonly caller: number; readonly scope: number | undefined }> = []
  readonly openScopes = new Set<number>()
  scopes = 0

  constructor(max: number) {
    this.limit = max + OVERFLOW
  }

  ask(timeoutMs: number, scope: number | undefined): void {
    const caller = this.outcomes.length
    this.outcomes.push(this.isClosed ? 'LEASEHOLD_POOL_CLOSED' : 'pending')
    if (!this.isClosed) this.waiting.push({ caller, deadlineAt: this.now + timeoutMs, scope })
    this.serve()
  }

  serve(): void {
    while (!this.isPaused && !this.isClosed && this.held.length < this.limit) {
      const next = this.waiting.shift()
      if (next === undefined) return
      this.outcomes[next.caller] = 'fulfilled'
      this.held.push(next)
    }
  }

  sendAway(isMeant: (waiter: Model['waiting'][number]) => boolean, outcome: string): void {
    for (const waiter of this.waiting.filter(isMeant)) {
      this.waiting.splice(this.waiting.indexOf(waiter), 1)
      this.outcomes[waiter.caller] = outcome
    }
  }

  giveBack(index: number): void {
    this.held.splice(index, 1)
    this.serve()
  }
}

type Move = fc.AsyncCommand<Model, Walk>

/** A move of a walk: what it does to the model and to the pool; afterwards both must agree. */
function move(
  name: string,
  act: (model: Model, walk: Walk) => unknown,
  isPossible: (model: Readonly<Model>) => boolean = () => true,
): Move {
  return {
    toString: () => name,
    check: isPossible,
    run: async (model, walk) => {
      await act(model, walk)
      await settled()
      walk.lookAtTheCounts()
      expect(walk.callers.map(({ asked }) => asked.outcome)).toEqual(model.outcomes)
      expect(walk.leases.length).toBe(model.held.length)
      const { waiting, state } = walk.fakes.pool.snapshot()
      expect(waiting.count).toBe(model.waiting.length)
      expect(state === 'paused').toBe(model.isPaused)
    },
  }
}

const heldSome = (model: Readonly<Model>): boolean => model.held.length > 0
/** The lease of the model's holder at `pick`, wrapped around. */
function leaseAt(
  model: Model,
  walk: Walk,
  pick: number,
): { readonly index: number; readonly lease: Lease<FakeClient> } {
  const index = pick % model.held.length
  const lease = walk.callers[model.held[index]?.caller ?? -1]?.asked.value
  if (lease === undefined) throw new Error('the walk lost a lease')
  return { index, lease }
}

const pick = fc.nat({ max: 100 })

const modelled: Array<fc.Arbitrary<Move>> = [
  fc.integer({ min: 1, max: 3_000 }).map((timeoutMs) =>
    move(`acquire within ${timeoutMs}`, async (model, walk) => {
      model.ask(timeoutMs, undefined)
      await walk.ask(timeoutMs, 'normal', undefined)
    }),
  ),
  fc.constant(
    move('open a scope', (model, walk) => {
      model.openScopes.add(model.scopes)
      model.scopes += 1
      walk.scopes.push(openScope({ label: `scope ${model.scopes}`, clock: walk.fakes.clock }))
    }),
  ),
  pick.map((number) =>
    move(
      `acquire in scope ${number}`,
      async (model, walk) => {
        const scope = number % model.scopes
        // A closed scope lends outside of itself.
        model.ask(1_000, model.openScopes.has(scope) ? scope : undefined)
        await walk.ask(1_000, 'normal', walk.scopes[scope])
      },
      (model) => model.scopes > 0,
    ),
  ),
  pick.map((number) =>
    move(
      `close scope ${number}`,
      async (model, walk) => {
        const scope = number % model.scopes
        model.openScopes.delete(scope)
        model.sendAway((waiter) => waiter.scope === scope, 'LEASEHOLD_SCOPE_CLOSED')
        const kept = model.held.filter((held) => held.scope !== scope)
        model.held.splice(0, model.held.length, ...kept)
        model.serve()
        await walk.scopes[scope]?.close()
      },
      (model) => model.scopes > 0,
    ),
  ),
  pick.map((number) =>
    move(
      `release ${number}`,
      (model, walk) => {
        const { index, lease } = leaseAt(model, walk, number)
        model.giveBack(index)
        lease.release()
        lease.release()
      },
      heldSome,
    ),
  ),
  pick.map((number) =>
    move(
      `release ${number} with a transaction left open`,
      async (model, walk) => {
        const { index, lease } = leaseAt(model, walk, number)
        // Its session may have been killed under it.
        await lease.client.query('begin').catch(() => {})
        model.giveBack(index)
        lease.release()
      },
      heldSome,
    ),
  ),
  pick.map((number) =>
    move(
      `release ${number} with a statement running`,
      (model, walk) => {
        const { index, lease } = leaseAt(model, walk, number)
        walk.fakes.driver.script.next('query', 'never')
        watched(lease.client.query('endless'))
        // A dead session never asked the script.
        walk.fakes.driver.script.forget('query')
        model.giveBack(index)
        lease.release()
      },
      heldSome,
    ),
  ),
  pick.map((number) =>
    move(
      `discard ${number}`,
      (model, walk) => {
        const { index, lease } = leaseAt(model, walk, number)
        model.giveBack(index)
        lease.discard('no use')
      },
      heldSome,
    ),
  ),
  pick.map((number) =>
    move(`kill session ${number}`, (_model, { fakes: { driver } }) => {
      const alive = driver.sessions.filter((session) => session.isAlive)
      const session = alive[number % Math.max(1, alive.length)]
      if (session !== undefined) driver.kill(session)
    }),
  ),
  pick.map((number) =>
    move(
      `abort waiter ${number}`,
      (model, walk) => {
        const waiter = model.waiting[number % model.waiting.length]
        model.sendAway((each) => each === waiter, 'LEASEHOLD_ABORTED')
        walk.callers[waiter?.caller ?? -1]?.controller.abort()
      },
      (model) => model.waiting.length > 0,
    ),
  ),
  fc.integer({ min: 1, max: 5 }).map((max) =>
    move(
      `resize to ${max}`,
      (model, walk) => {
        model.limit = max + OVERFLOW
        model.serve()
        walk.fakes.pool.resize(max)
      },
      (model) => !model.isClosed,
    ),
  ),
  fc.constant(
    move(
      'pause',
      (model, walk) => {
        model.isPaused = true
        walk.fakes.pool.pause()
      },
      (model) => !model.isClosed,
    ),
  ),
  fc.constant(
    move('resume', (model, walk) => {
      model.isPaused = false
      model.serve()
      walk.fakes.pool.resume()
    }),
  ),
  fc.constant(move('reconnect', (_model, walk) => walk.fakes.pool.reconnect())),
  fc.oneof(fc.integer({ min: 0, max: 150 }), fc.integer({ min: 150, max: 12_000 })).map((ms) =>
    move(`advance ${ms}`, async (model, walk) => {
      model.now += ms
      model.sendAway(({ deadlineAt }) => deadlineAt <= model.now, 'LEASEHOLD_ACQUIRE_TIMEOUT')
      await walk.fakes.clock.advanceAsync(ms)
    }),
  ),
]

const close = fc.constant(
  move(
    'close',
    (model, walk) => {
      model.isClosed = true
      model.isPaused = false
      model.sendAway(() => true, 'LEASEHOLD_POOL_CLOSED')
      walk.closing = watched(walk.fakes.pool.close({ deadlineMs: 1e9 }))
    },
    (model) => !model.isClosed,
  ),
)

describe(
  'any walk through acquire, release, abort, kill, resize, pause, reconnect, scopes, time and close',
  { timeout: 120_000 },
  () => {
    it('comes to what a simple model says, when the database answers at once', async () => {
      const size = fc.record({ max: fc.integer({ min: 1, max: 4 }), min: fc.nat({ max: 1 }) })
      await fc.assert(
        fc.asyncProperty(
          size,
          fc.commands([...modelled, ...modelled, close], { maxCommands: 60, size: 'max' }),
          async ({ max, min }, walks) => {
            const walk = new Walk({ max, min })
            await fc.asyncModelRun(() => ({ model: new Model(max), real: walk }), walks)
            await walk.end()
          },
        ),
        QUICK,
      )
    })

    it('keeps its counts right and forgets nobody, whatever the database does', async () => {
      const kinds = fc.record({
        max: fc.integer({ min: 1, max: 3 }),
        min: fc.nat({ max: 1 }),
        mode: fc.constantFrom<PoolMode>('transaction', 'session'),
        idleOrder: fc.constantFrom<'lifo' | 'fifo'>('lifo', 'fifo'),
      })
      const outcome = fc.constantFrom<Outcome>('ok', 'error', 'slow', 'never')
      const faulty = fc.constantFrom<Step>('connect', 'check', 'reset', 'close', 'quiesce', 'query', 'ready')
      const moves = fc.oneof(
        {
          weight: 6,
          arbitrary: fc.record({
            do: fc.constant('ask' as const),
            timeoutMs: fc.integer({ min: 0, max: 2_000 }),
            priority: fc.constantFrom<Priority>('high', 'normal', 'low'),
            scope: pick,
          }),
        },
        {
          weight: 4,
          arbitrary: fc.record({
            do: fc.constantFrom('release', 'discard', 'begin', 'query', 'abort', 'kill', 'open scope', 'close scope'),
            pick,
          }),
        },
        { weight: 4, arbitrary: fc.record({ do: fc.constant('fault' as const), step: faulty, outcome }) },
        { weight: 3, arbitrary: fc.record({ do: fc.constant('open gates' as const), step: faulty }) },
        {
          weight: 3,
          arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 1_500 }) }),
        },
        { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('pause', 'resume', 'reconnect') }) },
        {
          weight: 1,
          arbitrary: fc.record({ do: fc.constant('resize' as const), max: fc.integer({ min: 1, max: 5 }) }),
        },
      )
      await fc.assert(
        fc.asyncProperty(kinds, fc.array(moves, { maxLength: 80, size: 'max' }), async (options, walks) => {
          const walk = new Walk(options)
          const { pool, driver, clock } = walk.fakes
          for (const each of walks) {
            const lease = 'pick' in each ? walk.leases[each.pick % Math.max(1, walk.leases.length)] : undefined
            const session =
              'pick' in each ? driver.sessions[each.pick % Math.max(1, driver.sessions.length)] : undefined
            switch (each.do) {
              case 'ask': {
                const scope =
                  each.scope % 3 === 0 ? walk.scopes[each.scope % Math.max(1, walk.scopes.length)] : undefined
                await walk.ask(each.timeoutMs, each.priority, scope)
                break
              }
              case 'release':
                lease?.release()
                break
              case 'discard':
                lease?.discard('no use')
                break
              case 'begin':
              case 'query':
                if (lease !== undefined) watched(lease.client.query(each.do))
                break
              case 'abort':
                walk.callers[each.pick % Math.max(1, walk.callers.length)]?.controller.abort()
                break
              case 'kill':
                if (session !== undefined) driver.kill(session)
                break
              case 'open scope':
                walk.scopes.push(openScope({ label: 'a scope', clock }))
                break
              case 'close scope': {
                const scope = walk.scopes[each.pick % Math.max(1, walk.scopes.length)]
                if (scope !== undefined) watched(scope.close())
                break
              }
              case 'fault':
                driver.script.next(each.step, each.outcome)
                break
              case 'open gates':
                driver.script.openAll([each.step])
                break
              case 'advance':
                await clock.advanceAsync(each.ms)
                break
              case 'resize':
                pool.resize(each.max)
                break
              case 'pause':
              case 'resume':
              case 'reconnect':
                pool[each.do]()
                break
            }
            walk.lookAtTheCounts()
            await settled()
            walk.lookAtTheCounts()
            if (options.mode !== 'session') expect(pool.snapshot().connections.lent).toBe(walk.leases.length)
          }
          await walk.end()
        }),
        QUICK,
      )
    })
  },
)
