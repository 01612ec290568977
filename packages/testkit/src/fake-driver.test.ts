import { describe, expect, it } from 'vitest'
import { describeDriverContract, OPTIONAL_METHODS, TestGate, type DriverContractHarness } from './contracts/index.js'
import type { FakeClient } from './fake-client.js'
import { FakeDriverError } from './fake-driver-error.js'
import { FakeDriver } from './fake-driver.js'
import { minimalDriver } from './minimal-driver.js'
import { settled } from './settled.js'

const NEVER = new AbortController().signal

function harnessOf(
  behind: FakeDriver,
  driver = behind as DriverContractHarness<FakeClient>['driver'],
): DriverContractHarness<FakeClient> {
  const refused = new FakeDriver()
  refused.script.always('connect', 'error')
  const silent = new FakeDriver()
  silent.script.always('connect', 'never')
  const readOnly = new FakeDriver()
  readOnly.isReadOnly = true
  return {
    driver,
    refused,
    silent,
    readOnly,
    statements: {
      ok: 'select',
      failing: 'fail',
      begin: 'begin',
      rollback: 'rollback',
      endless: 'endless',
      slowControl: 'begin slowly',
      write: (row) => `insert ${row}`,
      leaving: { text: 'set x', kind: 'setting', name: 'x' },
      withLiterals: { text: "select 'secret', 42", literals: ['secret', '42'] },
    },
    settings: {
      taken: ['app.tenant', '42'],
      refused: ['app.tenant', 'refused'],
      read: async (client) => {
        await client.query('show')
        return behind.sessions[client.id - 1]?.settings.ran.at(-1)?.settings['app.tenant']
      },
    },
    query: (client, statement) => {
      if (statement === 'endless') behind.script.next('query', 'never')
      if (statement !== 'begin slowly') return client.query(statement)
      behind.script.next('query', 'slow')
      setImmediate(() => behind.script.open('query'))
      return client.query('begin')
    },
    kill: (client) => behind.kill(client),
    shutDown: (client) => {
      const error = new FakeDriverError('the server goes away', 'fatal')
      error.isShutdown = true
      behind.kill(client, error)
    },
    rows: () => behind.rows,
    sockets: () => [behind, refused, silent, readOnly].reduce((sum, { sockets }) => sum + sockets.total, 0),
  }
}

describeDriverContract('the fake driver', () => harnessOf(new FakeDriver()))

describeDriverContract(
  'a driver in six methods',
  () => {
    const behind = new FakeDriver()
    return harnessOf(behind, minimalDriver(behind))
  },
  OPTIONAL_METHODS,
)

describe('the fake driver', () => {
  it('has none of the optional methods that it was told to do without', () => {
    const driver = new FakeDriver({ without: OPTIONAL_METHODS })

    for (const method of OPTIONAL_METHODS) expect(driver[method]).toBeUndefined()
    for (const method of OPTIONAL_METHODS) expect(new FakeDriver()[method]).toBeDefined()
  })

  it('does what its script says: the next outcomes first, then the usual one', async () => {
    const driver = new FakeDriver()
    driver.script.always('connect', 'error')
    driver.script.next('connect', 'ok', new Error('of the test'))

    expect((await driver.connect(NEVER)).id).toBe(1)
    await expect(driver.connect(NEVER)).rejects.toThrow('of the test')
    await expect(driver.connect(NEVER)).rejects.toThrow('the fake connect failed')
  })

  it('opens a slow step when the test says so, and lets it fail likewise', async () => {
    const driver = new FakeDriver()
    driver.script.always('connect', 'slow')
    const first = driver.connect(NEVER)
    const second = driver.connect(NEVER)
    await settled()
    expect([driver.sockets.opening, driver.script.gatesOf('connect').length]).toEqual([2, 2])

    driver.script.open('connect')
    driver.script.fail('connect')

    expect((await first).id).toBe(1)
    await expect(second).rejects.toThrow('the fake connect failed')
    expect(() => driver.script.open('connect')).toThrow('nobody stands at a gate')
  })

  it('begins no transaction inside another one, as PostgreSQL does not', async () => {
    const driver = new FakeDriver()
    const client = await driver.connect(NEVER)
    for (const text of ['begin', 'insert a', 'begin', 'insert b']) await client.query(text)
    expect(driver.rows).toEqual([])
    await client.query('commit')
    expect(driver.rows).toEqual(['a', 'b'])
  })

  it('counts a socket until it is gone: through a slow farewell, and until a failed one is destroyed', async () => {
    const driver = new FakeDriver()
    const [slow, failing] = [await driver.connect(NEVER), await driver.connect(NEVER)]
    driver.script.next('close', 'slow', 'error')

    const closing = driver.close(slow)
    await expect(driver.close(failing)).rejects.toThrow('the fake close failed')
    expect(driver.sockets).toMatchObject({ open: 0, closing: 2, total: 2, peak: 2, opened: 2 })

    driver.script.open('close')
    await closing
    driver.destroy?.(failing)
    expect(driver.sockets.total).toBe(0)
  })

  it('ignores signals when it was told to', async () => {
    const driver = new FakeDriver({ heedsSignals: false })
    driver.script.always('connect', 'slow')
    const controller = new AbortController()
    const connecting = driver.connect(controller.signal)

    controller.abort()
    driver.script.open('connect')

    expect((await connecting).id).toBe(1)
  })

  it('notes each call, with its session and the context in which it was made', async () => {
    let context = 'outside'
    const driver = new FakeDriver({ context: () => context })
    const client = await driver.connect(NEVER)
    context = 'inside'
    await driver.check(client)

    expect(driver.calls).toEqual([
      { method: 'connect', client: 1, context: 'outside' },
      { method: 'check', client: 1, context: 'inside' },
    ])
    expect(driver.countOf('check')).toBe(1)
  })
})

describe('a violation is noted when a pool', () => {
  it.each<[string, (driver: FakeDriver, client: FakeClient) => Promise<unknown> | undefined, string]>([
    [
      'lends a client that is still lent',
      async (driver, client) => [driver.lend?.(client, new TestGate()), driver.lend?.(client, new TestGate())],
      'session 1 was lent to two owners at a time',
    ],
    [
      'lends a dead client',
      async (driver, client) => [driver.kill(client), driver.lend?.(client, new TestGate())],
      'session 1 was lent though it was dead',
    ],
    [
      'lends a client with a statement running',
      async (driver, client) => {
        driver.script.next('query', 'never')
        client.query('select').catch(() => {})
        driver.lend?.(client, new TestGate())
      },
      'session 1 was lent while a statement ran',
    ],
    [
      'lends a client with a transaction left in it',
      async (driver, client) => [await client.query('begin'), driver.lend?.(client, new TestGate())],
      'session 1 was lent with a transaction left in it',
    ],
    [
      'closes a client that is lent',
      async (driver, client) => [driver.lend?.(client, new TestGate()), await driver.close(client)],
      'session 1 had its close while it was lent',
    ],
    [
      'closes a client twice',
      async (driver, client) => [await driver.close(client), await driver.close(client)],
      'session 1 was closed twice',
    ],
  ])('%s', async (_, work, violation) => {
    const driver = new FakeDriver()
    const client = await driver.connect(NEVER)

    await work(driver, client)

    expect(driver.violations).toEqual([violation])
  })

  it('lends a client during its check', async () => {
    const driver = new FakeDriver()
    const client = await driver.connect(NEVER)
    driver.script.next('check', 'slow')
    const checking = driver.check(client)
    driver.lend?.(client, new TestGate())
    driver.script.open('check')
    await checking

    expect(driver.violations).toContain('session 1 was lent during its check')
  })

  it('and none when it lends a client twice in a row', async () => {
    const driver = new FakeDriver()
    const client = await driver.connect(NEVER)
    const first = new TestGate()
    driver.lend?.(client, first)
    first.end()
    driver.lend?.(client, new TestGate())

    expect(driver.violations).toEqual([])
  })
})
