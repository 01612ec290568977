import { FakeDriver, openFakePool } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import { createPool, detached, InvalidOptionsError, type LeaseholdError, openScope, runInScope } from '../index.js'
import { expectNoLeaks, withRollback } from '../testing/index.js'

/** What callers in JavaScript may hand in, whatever the types say. */
const never = (value: unknown): never => value as never

async function refused(call: () => unknown): Promise<LeaseholdError> {
  try {
    await call()
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidOptionsError)
    return error as LeaseholdError
  }
  throw new Error('it was not refused')
}

const NO_FUNCTIONS = [undefined, null, 5, 'select 1', {}]

describe.each(NO_FUNCTIONS)('%o in place of a function is refused', (value) => {
  it.each<[string, (pool: ReturnType<typeof openFakePool>['pool']) => unknown]>([
    ['use', (pool) => pool.use(never(value))],
    ['transaction', (pool) => pool.transaction(never(value))],
    ['on', (pool) => pool.on('leak', never(value))],
    ['runInScope', () => runInScope({ label: 'job' }, never(value))],
    ['detached', () => detached(never(value))],
    ['run', () => openScope({ label: 'job' }).run(never(value))],
    ['bind', () => openScope({ label: 'job' }).bind(never(value))],
    ['ormTransaction', (pool) => pool.ormTransaction(never(value))],
    ['withRollback', (pool) => withRollback(pool, never(value))],
  ])('by %s, and nothing is opened for it', async (name, call) => {
    const { pool, driver } = openFakePool()
    const error = await refused(() => call(pool))
    expect(error.message).toContain(`${name} cannot be used: `)
    expect(error.message).toContain('expected a function')
    expect(driver.countOf('connect')).toBe(0)
  })

  it('by afterCommit and afterRollback, and the transaction is rolled back', async () => {
    const { pool, driver } = openFakePool()
    await refused(() => pool.transaction((_client, transaction) => transaction.afterCommit(never(value))))
    await refused(() => pool.transaction((_client, transaction) => transaction.afterRollback(never(value))))
    expect(driver.countOf('connect')).toBe(1)
  })
})

describe('what nobody can use is refused', () => {
  it('by pool.on: an event that there is not, with the nearest one', async () => {
    const { pool } = openFakePool()
    const error = await refused(() => pool.on(never('leaks'), () => {}))
    expect(error.message).toContain("event: expected the name of an event (did you mean leak?), received 'leaks'")
    expect((await refused(() => pool.on(never('happy'), () => {}))).message).toContain(
      'an event: acquire, release, open',
    )
    await refused(() => pool.on(never(undefined), () => {}))
  })

  it.each([undefined, null, 'postgres://somewhere', 5, {}, { name: 'mine', connect: () => {} }, openFakePool().pool])(
    'by createPool: %o, which is no driver',
    async (driver) => {
      const error = await refused(() => createPool(never(driver)))
      expect(error.message).toContain('driver: expected a driver: an object with connect() and check() and watch()')
    },
  )

  it('by createPool: a driver without a name', async () => {
    const driver = Object.assign(new FakeDriver(), { name: '' })
    expect((await refused(() => createPool(driver))).message).toContain('and a name')
  })

  it.each([null, 5, 'main', {}, { leases: {} }, () => {}])(
    'by a scope: settings for %o, which is no pool, and would never be declared',
    async (pool) => {
      const scope = openScope({ label: 'a request' })
      const { message } = await refused(() => scope.set({ tenant: '42' }, never(pool)))
      expect(message).toContain('pool: expected a pool of Leasehold')
      await refused(() => openScope({ label: 'a request', poolSettings: new Map([[never(pool), { tenant: '42' }]]) }))
      await scope.close()
    },
  )

  it.each([new Map([['tenant', '42']]), new Set(['tenant']), Promise.resolve({ tenant: '42' })])(
    'by all that takes options or settings: %o, in which nothing would be found',
    async (value) => {
      const { pool, driver } = openFakePool()
      const scope = openScope({ label: 'a request' })
      await refused(() => scope.set(never(value)))
      await refused(() => openScope({ label: 'a request', settings: never(value) }))
      await refused(() => openScope(never(value)))
      await refused(() => pool.acquire({ settings: never(value) }))
      await refused(() => pool.acquire(never(value)))
      await refused(() => pool.transaction(() => {}, never(value)))
      await refused(() => pool.close(never(value)))
      await refused(() => createPool(driver, never(value)))
      expect([driver.countOf('connect'), pool.state]).toEqual([0, 'open'])
    },
  )

  it('by resize: nothing', async () => {
    const { pool } = openFakePool()
    await refused(() => pool.resize(never(undefined)))
  })

  it.each([undefined, null, 5, 'pool', {}, { leases: undefined }])(
    'by expectNoLeaks and withRollback: %o, which is no pool',
    async (pool) => {
      expect((await refused(() => expectNoLeaks(never(pool)))).message).toContain('expected a pool of Leasehold')
      expect((await refused(() => withRollback(never(pool), () => {}))).message).toContain('a pool of Leasehold')
    },
  )
})

it('a hook for a transaction that has ended is refused: nobody would call it', async () => {
  const { pool } = openFakePool()
  const ended = await pool.transaction((_client, transaction) => Promise.resolve([transaction]))
  expect(() => ended[0]?.afterCommit(() => {})).toThrow(
    expect.objectContaining({ code: 'LEASEHOLD_TRANSACTION_ENDED' }),
  )
  expect(() => ended[0]?.afterRollback(() => {})).toThrow('it was committed')
})
