import { FakeClock, FakeDriver, openFakePool, settled, watched } from '@leasehold/testkit'
import { describe, expect, it, vi } from 'vitest'
import { createPool, type ObserveEvent, openScope, type PinEvent, type ResetEvent, runInScope } from '../index.js'

// ARCHITECTURE.md, promise 4 and "Clean costs nothing", as far as core goes; issue 4 §2 and §3.

describe('what a statement leaves on its session', () => {
  it('shows in the lease: kind, name, the statement without its literals, where it was issued, since when', async () => {
    const { pool, clock } = openFakePool({ max: 1 })
    const lease = await pool.acquire()
    expect(lease.pins).toEqual([])
    await lease.client.query("set x 'secret'")
    clock.advance(5)

    expect(lease.pins).toEqual([
      {
        kind: 'setting',
        name: 'x',
        change: 'set',
        statement: 'set x ?',
        site: expect.stringContaining('a-session-goes-back-clean.test.ts') as unknown,
        since: clock.now() - 5,
        forMs: 5,
      },
    ])
  })

  it('shows no more once it is undone, by a reset or a rollback', async () => {
    const { pool } = openFakePool({ max: 1 })
    const lease = await pool.acquire()
    await lease.client.query('set x')
    await lease.client.query('reset x')
    expect(lease.pins).toEqual([])

    await lease.client.query('begin')
    await lease.client.query('set y')
    expect(lease.pins.map(({ kind, name }) => `${kind} ${name}`)).toEqual(['setting y', 'transaction open'])
    await lease.client.query('rollback')
    expect(lease.pins).toEqual([])
  })

  it('is taken away before the next owner gets the connection, and is reported with its site', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    const resets: ResetEvent[] = []
    pool.on('reset', (event) => resets.push(event))
    const first = await pool.acquire({ label: 'the careless' })
    await first.client.query('set x')
    driver.script.next('reset', 'slow')
    first.release()
    const second = pool.acquire()
    await settled()
    expect([pool.snapshot().waiting.count, driver.countOf('reset')]).toEqual([1, 1])
    driver.script.open('reset')

    expect((await second).pins).toEqual([])
    expect(resets).toEqual([
      expect.objectContaining({
        left: 'session state',
        label: 'the careless',
        error: undefined,
        pins: [expect.objectContaining({ kind: 'setting', name: 'x' })],
      }),
    ])
    expect(first.pins).toEqual([])
  })

  it('is what is left when an open transaction has ended: what that had undone is there again', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    const seen: string[][] = []
    vi.spyOn(driver, 'reset').mockImplementation(async (client, ledger) => {
      seen.push(ledger.pins.map(({ kind, name }) => `${kind} ${name}`))
      await client.query('rollback')
    })
    const lease = await pool.acquire()
    for (const statement of ['set x', 'begin', 'reset x', 'set y']) await lease.client.query(statement)
    expect(lease.pins.map(({ name }) => name)).toEqual(['y', 'open'])
    lease.release()
    await lease.recycled

    expect(seen).toEqual([['setting x', 'transaction open']])
  })

  it('may be in doubt: the driver sees the session before the next owner, and nobody is told of what is not there', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    const resets: ResetEvent[] = []
    pool.on('reset', (event) => resets.push(event))
    for (const statement of ['guess', 'select']) {
      const lease = await pool.acquire()
      await lease.client.query(statement)
      expect(lease.pins).toEqual([])
      lease.release()
      await lease.recycled
    }

    expect(driver.countOf('reset')).toBe(1)
    expect(resets).toEqual([])
  })

  it('costs the connection when it cannot be taken away', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    const lease = await pool.acquire()
    await lease.client.query('set x')
    driver.script.next('reset', 'error')
    lease.release()
    await lease.recycled

    expect((await pool.acquire()).client.id).toBe(2)
    expect(pool.snapshot().counts.closed['reset-failed']).toBe(1)
  })

  it('is told as it happens, and counted by kind', async () => {
    const { pool } = openFakePool({ max: 1 })
    const pins: PinEvent[] = []
    pool.on('pin', (event) => pins.push(event))
    await pool.use((client) => client.query('set x'), { label: 'GET /x' })

    expect(pins).toEqual([expect.objectContaining({ label: 'GET /x', connection: 1, kind: 'setting', name: 'x' })])
    expect(pool.snapshot().counts.pins).toMatchObject({ setting: 1, role: 0, transaction: 0 })
  })

  it('is counted as a transaction when it is one, once for each, and told of by no event', async () => {
    const { pool } = openFakePool({ max: 1 })
    const pins: PinEvent[] = []
    pool.on('pin', (event) => pins.push(event))
    await pool.use(async (client) => {
      await client.query('begin')
      await client.query('fail').catch(() => {})
      await client.query('rollback')
      await client.query('select')
      await client.query('begin')
    })
    await pool.transaction((client) => client.query('select'))

    expect(pool.snapshot().counts.pins.transaction).toBe(3)
    expect(pins).toEqual([])
  })

  it('is named to those who wait for the connection in vain', async () => {
    const { pool, clock } = openFakePool({ max: 1 })
    const lease = await pool.acquire({ label: 'the holder' })
    await lease.client.query('set x')
    const waiting = pool.acquire({ timeoutMs: 1 })
    clock.advance(1)

    await expect(waiting).rejects.toMatchObject({
      message: expect.stringContaining('pinned by setting x') as unknown,
      holders: [expect.objectContaining({ pins: [expect.objectContaining({ name: 'x' })] })],
    })
    expect(pool.snapshot().holders[0]?.pins).toHaveLength(1)
  })

  it('is reported once when it lasts longer than pinWarnMs, and anew when it was made anew', async () => {
    const { pool, clock } = openFakePool({ max: 1, pinWarnMs: 100 })
    const overdue: PinEvent[] = []
    pool.on('pin-overdue', (event) => overdue.push(event))
    const lease = await pool.acquire()
    await lease.client.query('set x')
    clock.advance(99)
    expect(overdue).toEqual([])
    clock.advance(1)
    clock.advance(500)
    expect(overdue.map(({ name, forMs }) => [name, forMs])).toEqual([['x', 100]])

    await lease.client.query('reset x')
    await lease.client.query('set x')
    clock.advance(100)
    expect(overdue).toHaveLength(2)
  })

  it('is expected of a lease that is meant to be held for long', async () => {
    const { pool, clock } = openFakePool({ max: 1, pinWarnMs: 100 })
    const overdue: PinEvent[] = []
    pool.on('pin-overdue', (event) => overdue.push(event))
    const lease = await pool.acquire({ hold: 'long' })
    await lease.client.query('set x')
    clock.advance(1_000)
    expect(overdue).toEqual([])
  })

  it('stays where the pool only observes, and is told', async () => {
    const { pool, driver } = openFakePool({ max: 1, observe: true })
    const would: ObserveEvent[] = []
    pool.on('observe', (event) => would.push(event))
    await pool.use((client) => client.query('set x'))
    await settled()

    expect(driver.countOf('reset')).toBe(0)
    expect(would).toEqual([expect.objectContaining({ would: 'reset', why: 'setting x at release' })])
  })

  it('is no pin when a hook did it before the first owner came; only what an owner changes of it is', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    const first = await pool.acquire()
    await first.prepare(() => first.client.query('set x'))
    expect(first.pins).toEqual([])
    await first.client.query('reset x')
    expect(first.pins).toEqual([expect.objectContaining({ name: 'x', change: 'cleared' })])
    first.release()
    await first.recycled
    expect(driver.countOf('reset')).toBe(1)
  })
})

describe('in a scope of mode transaction, what a lone statement leaves', () => {
  const lone = { statement: true } as const

  it('keeps the scope on that connection, until it is undone', async () => {
    const { pool } = openFakePool({ max: 3 })
    await runInScope({ label: 'a job' }, async () => {
      const other = await pool.acquire()
      await pool.use((client) => client.query('set x'), lone)
      const pinned = await pool.use((client) => client.id, lone)
      other.release()
      expect(await pool.use((client, lease) => [client.id, lease.pins.length], lone)).toEqual([pinned, 1])
      expect(pool.snapshot().connections.lent).toBe(1)

      await pool.use((client) => client.query('reset x'), lone)
      expect(pool.snapshot().connections.lent).toBe(0)
    })
  })

  it('ends with the scope', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    await runInScope({ label: 'a job' }, () => pool.use((client) => client.query('set x'), lone))

    expect(driver.countOf('reset')).toBe(1)
    expect(pool.snapshot()).toMatchObject({ connections: { lent: 0, idle: 1 }, counts: { leaks: { 'left-over': 0 } } })
  })

  it('counts as granted and released once each, whoever has it', async () => {
    const { pool } = openFakePool({ max: 1 })
    await runInScope({ label: 'a job' }, async () => {
      await pool.use((client) => client.query('set x'), lone)
      await pool.use((client) => client.query('reset x'), lone)
      await pool.use((client) => client.query('set x'), lone)
    })
    const { granted, released } = pool.snapshot().counts
    expect(granted).toBe(released)
  })

  it('does not keep a transaction that a borrower left open: that is rolled back, and the session goes', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    const resets: ResetEvent[] = []
    pool.on('reset', (event) => resets.push(event))
    await runInScope({ label: 'a job' }, async () => {
      await pool.use((client) => client.query('set x'), lone)
      await pool.use((client) => client.query('begin'))
      expect(await pool.use((_, lease) => lease.pins)).toEqual([])
    })
    expect(resets).toEqual([expect.objectContaining({ left: 'open transaction' })])
    expect(driver.violations).toEqual([])
  })

  it('is nobody else’s: another scope gets another connection', async () => {
    const { pool } = openFakePool({ max: 2 })
    const one = openScope({ label: 'one' })
    const two = openScope({ label: 'two' })
    const use = (): Promise<number> => pool.use((client) => client.id, lone)
    await one.run(() => pool.use((client) => client.query('set x'), lone))
    const [ofOne, ofTwo] = [await one.run(use), await two.run(use)]
    expect(ofOne).not.toBe(ofTwo)
    await Promise.all([one.close(), two.close()])
  })

  it('is lost with its connection, and the scope goes on elsewhere', async () => {
    const { pool, driver } = openFakePool({ max: 2 })
    await runInScope({ label: 'a job' }, async () => {
      await pool.use((client) => client.query('set x'), lone)
      await pool.use((client) => driver.kill(client), lone)
      expect(await pool.use((client) => client.id, lone)).toBe(2)
    })
    await settled()
    expect(pool.snapshot().connections).toMatchObject({ lent: 0, total: 1 })
  })

  it('does so outside transactions and lone statements only: a borrowed handle’s pins end with its release', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    await runInScope({ label: 'a job' }, async () => {
      await pool.use((client) => client.query('set x'))
      expect(await pool.use((_, lease) => lease.pins)).toEqual([])
      await pool.use(async (client) => {
        await client.query('begin')
        await client.query('set x')
        await client.query('commit')
      }, lone)
      expect(await pool.use((_, lease) => lease.pins)).toEqual([])
    })
    expect(driver.countOf('reset')).toBe(2)
  })

  it('does so in a scope only', async () => {
    const { pool } = openFakePool({ max: 1 })
    await pool.use((client) => client.query('set x'), lone)
    expect(await pool.use((_, lease) => lease.pins)).toEqual([])
  })
})

it('in statement mode a statement that would leave something is refused before it is sent', async () => {
  const { pool, driver } = openFakePool({ max: 1, mode: 'statement' })
  const lease = await pool.acquire({ label: 'GET /x' })

  await expect(lease.client.query('set x')).rejects.toMatchObject({
    code: 'LEASEHOLD_MODE_VIOLATION',
    pin: 'setting x',
    message: expect.stringContaining('GET /x') as unknown,
  })
  expect(lease.pins).toEqual([])
  expect(driver.countOf('reset')).toBe(0)
})

describe('verification', () => {
  /** A driver whose server can be asked what a session carries, and answers or not. */
  function askable(answers: () => Promise<void>): FakeDriver {
    const driver = new FakeDriver()
    return Object.assign(driver, {
      async truth(client: { readonly id: number }) {
        await driver.sessions[client.id - 1]?.talk('what do you carry', answers)
        return []
      },
    })
  }

  it('closes a connection whose server does not answer, and never lends it with the question on it', async () => {
    let isHung = false
    const driver = askable(() => (isHung ? new Promise(() => {}) : Promise.resolve()))
    const clock = new FakeClock()
    const pool = createPool(driver, { clock, max: 1, verifySessions: 1, resetTimeoutMs: 100 })
    const first = await pool.acquire()
    isHung = true
    first.release()
    const second = watched(pool.acquire())
    await settled()
    isHung = false
    clock.advance(100)
    await settled()

    expect(second.value.client.id).toBe(2)
    expect(pool.snapshot().counts.closed['reset-failed']).toBe(1)
    expect(driver.violations).toEqual([])
  })

  it('does not lend a new connection whose server does not answer', async () => {
    let asked = 0
    const driver = askable(() => ((asked += 1) === 1 ? new Promise(() => {}) : Promise.resolve()))
    const clock = new FakeClock()
    const pool = createPool(driver, { clock, max: 1, verifySessions: 1, resetTimeoutMs: 100 })
    const lease = watched(pool.acquire())
    await settled()
    clock.advance(100)
    await settled()

    expect(lease.value.client.id).toBe(2)
    expect(driver.violations).toEqual([])
  })
})
