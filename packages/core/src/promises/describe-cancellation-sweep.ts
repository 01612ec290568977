import {
  FakeClock,
  type FakeClient,
  FakeDriver,
  type Outcome,
  settled,
  type Step,
  watched,
  type Watched,
} from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import { createPool, type Lease, openScope, type Pool, type Scope } from '../index.js'

// Deadpool's managed_cancellation sweeps its hooks in this way; the best single idea of that pool's tests.

const STEPS = ['connect', 'check', 'reset', 'close'] as const satisfies readonly Step[]
const OUTCOMES = ['ok', 'error', 'slow', 'never'] as const satisfies readonly Outcome[]
/** How what callers have asked for is given up: one of these, once in a story, between any two of its moments. */
const ABORTS = ['by its signal', 'by its scope', 'by the pool’s end'] as const

const MAX = 2
const OVERFLOW = 1

type Combination = Readonly<Record<(typeof STEPS)[number], Outcome>>
type Abort = (typeof ABORTS)[number]

function combinations(): Combination[] {
  let all: Array<Partial<Record<Step, Outcome>>> = [{}]
  for (const step of STEPS) all = all.flatMap((each) => OUTCOMES.map((outcome) => ({ ...each, [step]: outcome })))
  return all as Combination[]
}

/** Callers who come, borrow, leave things behind, wait and go, while the driver does what a combination says. */
class Story {
  readonly clock = new FakeClock()
  readonly driver = new FakeDriver()
  readonly pool: Pool<FakeClient>
  readonly #asked: Array<Watched<Lease<FakeClient>>> = []
  #controller = new AbortController()
  #scope: Scope
  #closing: Watched<void> | undefined

  constructor(combination: Combination) {
    for (const step of STEPS) this.driver.script.always(step, combination[step])
    this.pool = createPool<FakeClient>(this.driver, {
      name: 'swept',
      clock: this.clock,
      max: MAX,
      overflow: OVERFLOW,
      min: 1,
      acquireTimeoutMs: 400,
      connectTimeoutMs: 150,
      checkTimeoutMs: 100,
      resetTimeoutMs: 100,
      closeTimeoutMs: 50,
      closeGraceMs: 50,
      checkAfterIdleMs: 20,
      idleTimeoutMs: 300,
    })
    this.#scope = openScope({ label: 'a caller', clock: this.clock })
  }

  /** What happens, moment by moment. Between two moments all promises settle and the counts are looked at. */
  readonly moments: ReadonlyArray<() => void> = [
    () => this.#ask(4),
    () => this.driver.script.openAll(['connect']),
    () => this.#leaveTransactionsBehind(),
    () => this.#ask(1),
    () => this.#giveBack(),
    () => this.driver.script.openAll(['reset']),
    () => this.clock.advance(40),
    () => this.#ask(4),
    () => this.driver.script.openAll(['check']),
    () => this.clock.advance(60),
    () => this.#throwAway(),
    () => this.driver.script.openAll(['close']),
    () => this.clock.advance(60),
  ]

  async tell(abort: Abort, at: number): Promise<void> {
    for (const [number, moment] of this.moments.entries()) {
      if (number === at) await this.#happen(() => this.#abort(abort))
      await this.#happen(moment)
    }
  }

  /** However it went: everybody was answered, the pool still works, and nothing is left of it when it closes. */
  async end(): Promise<void> {
    for (const step of STEPS) this.driver.script.always(step, 'ok')
    this.driver.script.openAll()
    await this.clock.advanceAsync(1_000)
    this.#giveBack()
    await this.clock.advanceAsync(1_000)
    expect(this.#asked.map((each) => each.state.is)).not.toContain('pending')
    if (this.#closing === undefined) {
      expect(await this.pool.use((client) => client.query('select'))).toMatch(/^select on/)
      this.#closing = watched(this.pool.close())
    }
    await this.clock.advanceAsync(1_000)
    expect(this.#closing.outcome).toBe('fulfilled')
    expect(this.pool.snapshot()).toMatchObject({
      state: 'closed',
      connections: { total: 0, idle: 0, lent: 0, opening: 0, checking: 0, recycling: 0, closing: 0 },
      waiting: { count: 0, high: 0, normal: 0, low: 0 },
      holders: [],
    })
    expect(this.#scope.held).toBe(0)
    expect(this.clock.pending).toBe(0)
    expect(this.driver.violations).toEqual([])
    expect(this.driver.sockets.total).toBe(0)
    // Counted by the driver itself at its every step, and not only between moments.
    expect(this.driver.sockets.peak).toBeLessThanOrEqual(MAX + OVERFLOW)
  }

  async #happen(moment: () => void): Promise<void> {
    moment()
    this.#lookAtTheCounts()
    await settled()
    this.#lookAtTheCounts()
  }

  #lookAtTheCounts(): void {
    const { connections, waiting } = this.pool.snapshot()
    const { idle, lent, opening, checking, recycling, closing, total, peak } = connections
    const counts = [idle, lent, opening, checking, recycling, closing, waiting.count]
    // One look and one matcher: this is done hundreds of thousands of times.
    const isRight =
      counts.every((count) => count >= 0) &&
      idle + lent + opening + checking + recycling + closing === total &&
      total <= MAX + OVERFLOW &&
      peak <= MAX + OVERFLOW &&
      this.driver.sockets.total <= total
    if (!isRight) expect({ connections, sockets: this.driver.sockets }).toBe('within the limit')
  }

  #ask(callers: number): void {
    for (let caller = 0; caller < callers; caller += 1) {
      this.#asked.push(watched(this.#scope.run(() => this.pool.acquire({ signal: this.#controller.signal }))))
    }
  }

  get #leases(): Array<Lease<FakeClient>> {
    return this.#asked.flatMap(({ state }) => (state.is === 'fulfilled' && state.value.active ? [state.value] : []))
  }

  #leaveTransactionsBehind(): void {
    for (const lease of this.#leases) watched(lease.client.query('begin'))
  }

  #giveBack(): void {
    for (const lease of this.#leases) lease.release()
  }

  #throwAway(): void {
    for (const lease of this.#leases) lease.discard(new Error('of the story'))
  }

  #abort(how: Abort): void {
    switch (how) {
      case 'by its signal':
        this.#controller.abort()
        this.#controller = new AbortController()
        break
      case 'by its scope':
        watched(this.#scope.close())
        this.#scope = openScope({ label: 'another caller', clock: this.clock })
        break
      case 'by the pool’s end':
        this.#closing = watched(this.pool.close({ deadlineMs: 100 }))
        break
    }
  }
}

/**
 * Tells the story of every combination, once for each way of giving up and for each of the moments at which it may happen
 * that are among those chosen. `nth` is the combination's number.
 */
export function describeCancellationSweep(chosen: (moment: number, nth: number) => boolean): void {
  describe.each(ABORTS)('when callers are sent away %s', (abort) => {
    it.each(OUTCOMES)('and connect is %s', async (connect) => {
      const atMoments = new Set<number>()
      for (const [nth, combination] of combinations().entries()) {
        if (combination.connect !== connect) continue
        const moments = new Story(combination).moments.length
        for (let at = 0; at <= moments; at += 1) {
          if (!chosen(at, nth)) continue
          const story = new Story(combination)
          try {
            await story.tell(abort, at)
            await story.end()
          } catch (error) {
            const message = `${JSON.stringify(combination)}, aborted at moment ${at}: ${(error as Error).message}`
            throw new Error(message, { cause: error })
          }
          atMoments.add(at)
        }
      }
      expect(atMoments.size).toBe(14)
    })
  })
}
