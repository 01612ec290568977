import { subscribe as subscribeToChannel, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import { openFakePool, settled } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import { runInScope } from '../scope/scopes.js'
import type { PoolEventName } from './pool-events.js'

describe('pool.on', () => {
  it('tells the life of a lease and its connection in order, with the facts', async () => {
    const { pool, clock } = openFakePool()
    const told: Array<[PoolEventName, unknown]> = []
    for (const event of ['acquire', 'release', 'open', 'close'] as const) {
      pool.on(event, (message) => told.push([event, message]))
    }

    const lease = await pool.acquire({ label: 'report' })
    clock.advance(40)
    lease.release()
    await pool.close()

    expect(told.map(([event]) => event)).toEqual(['open', 'acquire', 'release', 'close'])
    expect(told[1]?.[1]).toMatchObject({ pool: 'test', label: 'report', connection: 1 })
    expect(told[2]?.[1]).toMatchObject({ label: 'report', heldMs: 40, busyMs: 0 })
    expect(told[3]?.[1]).toMatchObject({ reason: 'pool-closed', uses: 1 })
  })

  it('tells of as many leases that come as of those that go, whoever asked; what joins another one says so', async () => {
    const { pool } = openFakePool({ max: 1, captureSites: 'always' })
    const lent: string[] = []
    pool.on('acquire', ({ label, site, isJoined }) =>
      lent.push(`${isJoined ? 'joined' : '+'} ${label} ${site?.split('/').at(-1)}`),
    )
    pool.on('release', ({ label }) => lent.push(`- ${label}`))
    const lines = (): string[] => lent.splice(0).map((line) => line.replace(/ \S+\.ts:.*/, ''))

    await pool.use(() => {}, { label: 'use' })
    expect(lent[0]).toContain('subscribe.test.ts')
    expect(lines()).toEqual(['+ use', '- use'])
    pool.tryAcquire({ label: 'try' })?.release()
    expect(lines()).toEqual(['+ try', '- try'])
    await runInScope({ label: 'tx' }, () => pool.transaction(() => pool.use(() => {})))
    expect(lines()).toEqual(['+ tx', 'joined tx', '- tx'])
    await runInScope({ label: 'session', mode: 'session' }, async () => {
      await pool.use(() => {})
      await pool.use(() => {})
    })
    expect(lines()).toEqual(['+ session', 'joined session', 'joined session', '- session'])
  })

  it('tells nothing of another pool, though it has the same name', async () => {
    const [mine, other] = [openFakePool(), openFakePool()]
    let told = 0
    mine.pool.on('release', () => (told += 1))

    ;(await other.pool.acquire()).release()
    expect(told).toBe(0)
    ;(await mine.pool.acquire()).release()
    expect(told).toBe(1)
  })

  it('stops when what it returned is called', async () => {
    const { pool } = openFakePool()
    let told = 0
    const off = pool.on('release', () => (told += 1))
    ;(await pool.acquire()).release()
    off()
    ;(await pool.acquire()).release()
    expect(told).toBe(1)
  })

  it('tells of a deadline that passed, and of no lease', async () => {
    const { pool, clock } = openFakePool({ max: 1 })
    await pool.acquire()
    const told: string[] = []
    pool.on('acquire', () => told.push('acquire'))
    pool.on('timeout', ({ label, error }) => told.push(`${label}: ${error.code}`))

    const waiting = pool.acquire({ label: 'late', timeoutMs: 10 })
    waiting.catch(() => {})
    clock.advance(10)
    await settled()

    expect(told).toEqual(['late: LEASEHOLD_ACQUIRE_TIMEOUT'])
  })

  it('tells of an overdue lease once, and of its late return', async () => {
    const { pool, clock } = openFakePool({ leakAfterMs: 100 })
    const told: string[] = []
    pool.on('leak', ({ kind, label, heldMs, statement }) => told.push(`${kind} ${label} ${heldMs} ${statement}`))
    pool.on('leak-returned', ({ heldMs }) => told.push(`returned ${heldMs}`))

    const lease = await pool.acquire({ label: 'slow' })
    await lease.client.query("select 'secret', 42")
    clock.advance(300)
    clock.advance(300)
    lease.release()

    expect(told).toEqual(['overdue slow 100 select ?, ?', 'returned 600'])
  })

  it('never calls a lease overdue that was announced to be held for long', async () => {
    const { pool, clock } = openFakePool({ leakAfterMs: 100 })
    const told: unknown[] = []
    pool.on('leak', (leak) => told.push(leak))
    await pool.acquire({ hold: 'long', label: 'listener' })
    clock.advance(10_000)
    expect(told).toEqual([])
  })
})

const nobody = (): never => expect.unreachable()

describe('the diagnostics channels', () => {
  it('carry the same events for all pools of the process', async () => {
    const told: unknown[] = []
    const onMessage = (message: unknown): void => void told.push(message)
    subscribeToChannel('leasehold:lease:release', onMessage)
    try {
      for (const name of ['one', 'two']) {
        const { pool } = openFakePool({ name })
        ;(await pool.acquire()).release()
      }
    } finally {
      unsubscribe('leasehold:lease:release', onMessage)
    }
    expect(told).toMatchObject([{ pool: 'one' }, { pool: 'two' }])
  })

  it('trace an acquire from its start to its end, also when it fails', async () => {
    const { pool, clock } = openFakePool({ max: 1 })
    const told: string[] = []
    const listeners = ['start', 'asyncEnd', 'error'].map((part) => {
      const name = `tracing:leasehold:pool:acquire:${part}`
      const onMessage = (): void => void told.push(part)
      subscribeToChannel(name, onMessage)
      return () => unsubscribe(name, onMessage)
    })

    await pool.acquire()
    const waiting = pool.acquire({ timeoutMs: 5 })
    waiting.catch(() => {})
    clock.advance(5)
    await settled()
    for (const off of listeners) off()

    expect(told).toEqual(['start', 'asyncEnd', 'start', 'error', 'asyncEnd'])
  })

  it('trace from its start also what nobody waits for: what is free at once, and the connection of a session', async () => {
    const { pool } = openFakePool()
    const begun = new Set<unknown>()
    const told: string[] = []
    const trace = tracingChannel<unknown, { label: string; result?: unknown }>('leasehold:pool:acquire')
    const listeners = {
      start: (message: object): void => void begun.add(message),
      end: (): void => {},
      asyncStart: (): void => {},
      asyncEnd: (message: { label: string }): void =>
        void told.push(`${message.label}${begun.delete(message) ? '' : ' without a start'}`),
      error: (): void => {},
    }
    trace.subscribe(listeners)
    try {
      ;(await pool.acquire({ label: 'wait' })).release()
      pool.tryAcquire({ label: 'try' })?.release()
      await runInScope({ label: 'session', mode: 'session' }, () => pool.use(() => {}))
    } finally {
      trace.unsubscribe(listeners)
    }
    expect(told).toEqual(['wait', 'try', 'session', 'session'])
    expect(begun.size).toBe(0)
  })

  it('have nothing happen later than it would: whoever is traced is served in the same turn', async () => {
    const { pool } = openFakePool({ max: 1 })
    ;(await pool.acquire()).release()
    const turnsUntilServed = async (): Promise<readonly number[]> => {
      let turns = 0
      let isAnswered = false
      const count = (): void => {
        turns += 1
        if (!isAnswered) queueMicrotask(count)
      }
      const answered = (): number => ((isAnswered = true), turns)
      queueMicrotask(count)
      const byPromise = await pool.acquire().then((lease) => (lease.release(), answered()))
      await settled()
      turns = 0
      let byCall = -1
      pool.acquireThen({}, (lease) => (lease.release(), (byCall = turns)), nobody)
      expect(byCall).toBe(0)
      isAnswered = false
      queueMicrotask(count)
      const byTransaction = await pool.transaction(() => answered())
      await settled()
      return [byPromise, byCall, byTransaction]
    }
    const unseen = await turnsUntilServed()
    const stop = pool.on('acquire', () => {})
    const onStart = (): void => {}
    subscribeToChannel('tracing:leasehold:pool:acquire:start', onStart)
    try {
      expect(await turnsUntilServed()).toEqual(unseen)
    } finally {
      unsubscribe('tracing:leasehold:pool:acquire:start', onStart)
      stop()
    }
    expect(await turnsUntilServed()).toEqual(unseen)
  })

  it('tell of an acquire that throws at once, and by a call, what they tell of others', async () => {
    const { pool } = openFakePool({ max: 1 })
    const told: object[] = []
    const parts = ['start', 'end', 'error', 'asyncEnd'].map((part) => `tracing:leasehold:pool:acquire:${part}`)
    const onMessage = (message: unknown, name: string | symbol): void => {
      const { error, connection } = message as { error?: { code?: string }; connection: number }
      told.push([String(name).split(':').at(-1), error?.code, connection])
    }
    for (const name of parts) subscribeToChannel(name, onMessage)
    try {
      await expect(pool.acquire({ timeoutMs: -1 })).rejects.toMatchObject({ code: 'LEASEHOLD_INVALID_OPTIONS' })
      pool.acquireThen({ timeoutMs: -1 }, nobody, () => {})
      await new Promise<void>((resolve) => pool.acquireThen({}, (lease) => (lease.release(), resolve()), nobody))
    } finally {
      for (const name of parts) unsubscribe(name, onMessage)
    }
    const refused = 'LEASEHOLD_INVALID_OPTIONS'
    expect(told).toEqual([
      ['start', undefined, 0],
      ['end', undefined, 0],
      ['error', refused, 0],
      ['asyncEnd', refused, 0],
      ['start', undefined, 0],
      ['error', refused, 0],
      ['asyncEnd', refused, 0],
      ['end', refused, 0],
      ['start', undefined, 0],
      ['end', undefined, 0],
      ['asyncEnd', undefined, 1],
    ])
  })
})
