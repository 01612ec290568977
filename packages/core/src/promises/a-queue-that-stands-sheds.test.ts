import { FakeClock, FakeDriver, openFakePool, settled, watched } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import { createPool, type OverloadedError, type Pool, type PoolOptions, type Priority } from '../index.js'

type Fake = ReturnType<typeof openFakePool>

interface Caller {
  readonly priority: Priority
  readonly cameAt: number
  became: 'waiting' | 'served' | 'shed' | 'timed out' | 'full'
  afterMs: number
}

/** Callers who come at a steady pace and hold a connection for `holdMs` each; time moves by 1 ms. */
class Traffic {
  readonly callers: Caller[] = []
  readonly #fake: Fake
  readonly #holdMs: number

  constructor(fake: Fake, holdMs: number) {
    this.#fake = fake
    this.#holdMs = holdMs
  }

  come(priority: Priority = 'normal', timeoutMs?: number): void {
    const { pool, clock } = this.#fake
    const caller: Caller = { priority, cameAt: clock.now(), became: 'waiting', afterMs: 0 }
    this.callers.push(caller)
    pool.acquire({ priority, timeoutMs }).then(
      (lease) => {
        this.#note(caller, 'served')
        clock.wake(clock.now() + this.#holdMs, () => lease.release())
      },
      (error: { readonly code: string }) => {
        const became = error.code === 'LEASEHOLD_OVERLOADED' ? 'shed' : 'timed out'
        this.#note(caller, error.code === 'LEASEHOLD_QUEUE_FULL' ? 'full' : became)
      },
    )
  }

  async run(ms: number, eachMs: () => void = () => {}): Promise<void> {
    for (let passed = 0; passed < ms; passed += 1) {
      eachMs()
      await this.#fake.clock.advanceAsync(1)
    }
  }

  count(became: Caller['became'], priority?: Priority): number {
    return this.callers.filter(
      (caller) => caller.became === became && (priority ?? caller.priority) === caller.priority,
    ).length
  }

  longest(became: Caller['became']): number {
    return Math.max(0, ...this.callers.filter((caller) => caller.became === became).map(({ afterMs }) => afterMs))
  }

  #note(caller: Caller, became: Caller['became']): void {
    caller.became = became
    caller.afterMs = this.#fake.clock.now() - caller.cameAt
  }
}

async function warm(options: PoolOptions = {}): Promise<Fake> {
  const fake = openFakePool({ max: 10, maxConnecting: 10, ...(options as object) })
  const leases = await Promise.all(Array.from({ length: 10 }, () => fake.pool.acquire()))
  for (const lease of leases) lease.release()
  await settled()
  return fake
}

describe('when twice as many come as can be served', () => {
  it('those who are served are served soon, as many as can be, and the others know soon', async () => {
    const fake = await warm({ acquireTimeoutMs: 500 })
    const traffic = new Traffic(fake, 10)

    await traffic.run(1_000, () => {
      traffic.come()
      traffic.come()
    })

    expect(traffic.count('served')).toBeGreaterThan(970)
    // A twentieth of their patience, twice, and what has gone by before the first interval was over.
    expect(traffic.longest('served')).toBeLessThan(130)
    expect(traffic.count('timed out')).toBe(0)
    expect(traffic.longest('shed')).toBeLessThan(130)
    expect(fake.pool.snapshot().counts.shed).toBe(traffic.count('shed'))
  })

  it('without a limit to the queue everybody who is served has waited to the end of its patience', async () => {
    const fake = await warm({ acquireTimeoutMs: 500, queueDelay: false })
    const traffic = new Traffic(fake, 10)

    await traffic.run(1_500, () => {
      traffic.come()
      traffic.come()
    })

    expect(traffic.count('shed')).toBe(0)
    expect(traffic.longest('served')).toBeGreaterThan(480)
  })

  it('a target of one’s own holds for everybody, whatever their patience', async () => {
    const fake = await warm({ queueDelay: { targetMs: 5, intervalMs: 20 } })
    const traffic = new Traffic(fake, 10)

    await traffic.run(500, () => {
      traffic.come('normal', Infinity)
      traffic.come('normal', 1_000)
    })

    expect(traffic.longest('served')).toBeLessThan(60)
    expect(traffic.count('served')).toBeGreaterThan(470)
  })

  it('who waits for ever is not shed by a share of its patience', async () => {
    const fake = await warm()
    const traffic = new Traffic(fake, 10)

    await traffic.run(400, () => {
      traffic.come('normal', Infinity)
      traffic.come('normal', 500)
    })

    expect(traffic.count('shed')).toBeGreaterThan(50)
    expect(fake.pool.snapshot().waiting.count).toBeGreaterThan(100)
  })

  it('the lowest priority is shed first, the highest last', async () => {
    const fake = await warm({ acquireTimeoutMs: 500 })
    const traffic = new Traffic(fake, 10)
    let ms = 0

    await traffic.run(1_000, () => {
      ms += 1
      if (ms % 2 === 0) traffic.come('high')
      traffic.come('normal')
      if (ms % 2 === 0) traffic.come('low')
    })

    expect(traffic.count('shed', 'high')).toBe(0)
    const [normal, low] = [traffic.count('shed', 'normal') / 1_000, traffic.count('shed', 'low') / 500]
    expect(low).toBeGreaterThan(normal)
    expect(traffic.count('served')).toBeGreaterThan(970)
  })

  it('nobody of a low priority keeps its place while one of a higher is shed', async () => {
    const fake = await warm({ acquireTimeoutMs: 500 })
    const traffic = new Traffic(fake, 10)
    const kept: number[] = []

    await traffic.run(1_000, () => {
      traffic.come('high')
      traffic.come('high')
      if (traffic.callers.length % 50 === 0) traffic.come('low')
      const waitsLow = traffic.callers.filter((caller) => caller.became === 'waiting' && caller.priority === 'low')
      if (traffic.count('shed', 'high') > 0) kept.push(...waitsLow.map(({ cameAt }) => fake.clock.now() - cameAt))
    })

    expect(traffic.count('shed', 'high')).toBeGreaterThan(100)
    expect(Math.max(...kept)).toBeLessThan(210)
  })

  it('the error says what is going on, and when to come back', async () => {
    const fake = await warm({ acquireTimeoutMs: 500, name: 'orders' })
    const told: string[] = []
    fake.pool.on('shed', ({ label, error }) => told.push(`${label}: ${error.code}`))
    const traffic = new Traffic(fake, 10)
    const errors: OverloadedError[] = []

    await traffic.run(300, () => {
      traffic.come()
      fake.pool.acquire().then(
        (lease) => fake.clock.wake(fake.clock.now() + 10, () => lease.release()),
        (error: OverloadedError) => errors.push(error),
      )
    })

    expect(errors[0]).toMatchObject({
      code: 'LEASEHOLD_OVERLOADED',
      statusCode: 503,
      retryAfterMs: 1_000,
      phase: 'queue',
      targetMs: 25,
    })
    expect(errors[0]?.message).toContain('pool "orders" is overloaded')
    expect(errors[0]?.waitedMs).toBeGreaterThanOrEqual(50)
    expect(told[0]).toBe('outside any scope: LEASEHOLD_OVERLOADED')
  })
})

describe('nobody is shed', () => {
  it('of a burst, however long it takes to serve it', async () => {
    const fake = await warm()
    const traffic = new Traffic(fake, 10)
    for (let count = 0; count < 4_000; count += 1) traffic.come()

    await traffic.run(4_500)

    expect(traffic.count('served')).toBe(4_000)
  })

  it('as long as no more wait than the pool has connections', async () => {
    const fake = await warm({ queueDelay: { targetMs: 1, intervalMs: 1 } })
    const traffic = new Traffic(fake, 300)
    for (let count = 0; count < 15; count += 1) traffic.come()
    let ms = 0

    await traffic.run(1_000, () => {
      ms += 1
      if (ms % 60 === 0 && fake.pool.snapshot().waiting.count < 10) traffic.come()
    })

    expect(traffic.count('shed')).toBe(0)
  })

  it('by a pool that observes, which tells what it would have done', async () => {
    const fake = await warm({ acquireTimeoutMs: 500, observe: true })
    const told: string[] = []
    fake.pool.on('observe', ({ would, why }) => told.push(`${would}: ${why}`))
    const traffic = new Traffic(fake, 10)

    await traffic.run(400, () => {
      traffic.come()
      traffic.come()
    })

    expect(traffic.count('shed')).toBe(0)
    expect(told[0]).toMatch(/^refuse: the queue stands: nobody of late has waited less than \d+ ms$/)
    expect(told.length).toBeLessThan(20)
  })
})

describe('who waits at all', () => {
  const FULL = 'LEASEHOLD_QUEUE_FULL'

  it('may be limited for each priority', async () => {
    const { pool } = openFakePool({ max: 1, maxWaitingByPriority: { low: 1, high: 0 } })
    await pool.acquire()
    const low = watched(pool.acquire({ priority: 'low' }))
    const refused = pool.acquire({ priority: 'low' })
    const others = (['normal', 'normal', 'high'] as const).map((priority) => watched(pool.acquire({ priority })))

    await expect(refused).rejects.toMatchObject({ code: FULL, waiting: 1, maxWaiting: 1 })
    await expect(refused).rejects.toThrow('maxWaitingByPriority.low is 1')
    expect([low, ...others].map(({ outcome }) => outcome)).toEqual(['pending', 'pending', 'pending', FULL])
  })

  it('makes room for one of a higher priority: the last one of the lowest', async () => {
    const { pool } = openFakePool({ max: 1, maxWaiting: 3 })
    await pool.acquire()
    const [low, low2, normal] = (['low', 'low', 'normal'] as const).map((priority) =>
      watched(pool.acquire({ priority })),
    )
    const high = watched(pool.acquire({ priority: 'high' }))
    const normal2 = watched(pool.acquire())
    const high2 = watched(pool.acquire({ priority: 'high' }))
    const low3 = watched(pool.acquire({ priority: 'low' }))
    await settled()

    const outcomes = [low, low2, normal, high, normal2, high2, low3].map((caller) => caller?.outcome)
    expect(outcomes).toEqual([FULL, FULL, 'pending', 'pending', FULL, 'pending', FULL])
    expect(pool.snapshot()).toMatchObject({ waiting: { high: 2, normal: 1, low: 0 }, counts: { refused: 4 } })
  })

  it('leaves its scope and its signal alone when it may not wait', async () => {
    const { pool } = openFakePool({ max: 1, maxWaiting: 0 })
    await pool.acquire()
    const controller = new AbortController()

    await expect(pool.acquire({ signal: controller.signal })).rejects.toMatchObject({ code: 'LEASEHOLD_QUEUE_FULL' })
    controller.abort()

    expect(pool.snapshot().counts.aborted).toBe(0)
  })
})

it('nothing of it is on the way of a lease that finds a connection', async () => {
  const clock = new FakeClock()
  const pool: Pool<unknown> = createPool(new FakeDriver(), { clock, max: 2 }) as never
  ;(await pool.acquire()).release()
  const { asked } = clock

  for (let count = 0; count < 100; count += 1) (await pool.acquire()).release()

  expect(clock.asked).toBe(asked)
})
