import { InvalidOptionsError } from '@leasehold/core'
import { expect, test, vi } from 'vitest'
import type { LeasedPgPoolOptions } from './facade-options.js'
import { LeasedPgPool } from './leased-pg-pool.js'
import { sortOptions } from './sort-options.js'

function faultsOf(options: unknown): string[] {
  try {
    sortOptions(options as LeasedPgPoolOptions)
  } catch (error) {
    if (error instanceof InvalidOptionsError) return error.faults.map(({ option }) => option)
    throw error
  }
  return []
}

test.each([
  [{ max: 5 }, { max: 5 }],
  [{ poolSize: 5 }, { max: 5 }],
  [{ max: 0 }, {}],
  [{ max: '7' }, { max: 7 }],
  [{ min: 2 }, { min: 2 }],
  [{ idleTimeoutMillis: 0 }, { idleTimeoutMs: Infinity }],
  [{ idleTimeoutMillis: null }, { idleTimeoutMs: Infinity }],
  [{ idleTimeoutMillis: 30 }, { idleTimeoutMs: 30 }],
  [{ connectionTimeoutMillis: 0 }, { acquireTimeoutMs: Infinity, connectTimeoutMs: Infinity }],
  [{ connectionTimeoutMillis: 300 }, { acquireTimeoutMs: 300, connectTimeoutMs: 299 }],
  [{ maxUses: 0 }, { maxUses: Infinity }],
  [{ maxUses: Infinity }, { maxUses: Infinity }],
  [{ maxUses: 9 }, { maxUses: 9 }],
  [{ maxLifetimeSeconds: 0 }, { maxLifetimeMs: Infinity }],
  [{ maxLifetimeSeconds: 1.5 }, { maxLifetimeMs: 1_500 }],
  [{ allowExitOnIdle: true }, { allowExitOnIdle: true }],
  [{ leasehold: { name: 'orders', connectTimeoutMs: 70 } }, { name: 'orders', connectTimeoutMs: 70 }],
  [{ max: 5, leasehold: { max: 5 } }, { max: 5 }],
])('%o means %o', (options, expected) => {
  const { connectTimeoutMs, ...pool } = sortOptions(options as LeasedPgPoolOptions).pool
  const given = 'connectTimeoutMs' in expected ? { ...pool, connectTimeoutMs } : pool
  expect(given).toEqual(expected)
})

test('what the core pool would refuse is refused with all the rest, under the name that was given', () => {
  expect(
    faultsOf({
      max: -3,
      min: '4',
      leasehold: { acquireTimeoutMS: 1, mode: 'sesion', breaker: { windowMs: 0 }, compat: 1 },
    }),
  ).toEqual(['max', 'leasehold.compat', 'leasehold.breaker.windowMs', 'leasehold.mode', 'leasehold.acquireTimeoutMS'])
  expect(faultsOf({ min: 20, max: 10 })).toEqual(['max'])
  expect(faultsOf({ max: 10, leasehold: { min: 20 } })).toEqual(['max'])
  expect(faultsOf({ min: 20, leasehold: { max: 10 } })).toEqual(['leasehold.max'])
})

test.each([null, 3, 'session', [], () => {}])('%o under leasehold is refused', (leasehold) => {
  expect(faultsOf({ leasehold })).toEqual(['leasehold'])
})

test.each([5, 'postgres://user:secret@host/db', true, [], Symbol('x')])(
  '%o in place of options is refused by the pool itself, and not told',
  (options) => {
    const make = (): unknown => new LeasedPgPool(options as never)
    expect(make).toThrow(InvalidOptionsError)
    expect(make).toThrow('options: expected an object, as pg.Pool takes it: { connectionString: … }')
    expect(make).not.toThrow('secret')
  },
)

test.each(['Client', 'Promise'])('%s must be a class', (name) => {
  expect(faultsOf({ [name]: {} })).toEqual([name])
})

test('what is unset is our default: five seconds for a connection', () => {
  expect(sortOptions(undefined).pool).toEqual({ connectTimeoutMs: 4_999 })
})

test('values that disagree and values that make no sense are refused, all together', () => {
  expect(
    faultsOf({
      max: 5,
      maxUses: -1,
      maxLifetimeSeconds: 'long',
      connectionTimeoutMillis: 100,
      verify: true,
      leasehold: { max: 6, acquireTimeoutMs: 200, compat: 'pg', connection: {} },
    }),
  ).toEqual([
    'maxUses',
    'maxLifetimeSeconds',
    'verify',
    'leasehold.compat',
    'leasehold.connection',
    'leasehold.max',
    'leasehold.acquireTimeoutMs',
  ])
})

test('compat goes with no mode that needs a fence', () => {
  expect(faultsOf({ leasehold: { compat: 'pg-pool', mode: 'statement' } })).toEqual(['leasehold.mode'])
  expect(faultsOf({ leasehold: { compat: 'pg-pool', mode: 'transaction' } })).toEqual([])
})

test('compat opens without a limit, checks nothing, and keeps min from the idle timeout only', () => {
  const { pool, idleFloor } = sortOptions({ min: 2, idleTimeoutMillis: 50, leasehold: { compat: 'pg-pool' } })
  expect(pool).toMatchObject({ maxConnecting: Infinity, checkAfterIdleMs: Infinity, min: 0, idleTimeoutMs: Infinity })
  expect(idleFloor).toEqual({ min: 2, idleTimeoutMs: 50 })
})

test('settings of the connection go to the client whole, those of the pool do not', () => {
  const options = { host: 'db', ssl: true, binary: true, max: 3, log: () => {}, connectionTimeoutMillis: 5 }
  Object.defineProperty(options, 'password', { value: 'hidden', enumerable: false })
  expect(sortOptions(options).connection).toEqual({ host: 'db', ssl: true, binary: true, password: 'hidden' })
})

test('settings that are asked for go over those that are given', async () => {
  const { connection } = sortOptions({
    host: 'db',
    user: 'me',
    leasehold: { connection: async () => ({ user: 'you' }) },
  })
  if (typeof connection !== 'function') throw new Error('not a function')
  expect(await connection()).toEqual({ host: 'db', user: 'you' })
})

test('an option that pg does not know is warned of, once', () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  sortOptions({ maxConnections: 5, statement_timeout: 5, application_name: 'x' } as LeasedPgPoolOptions)
  sortOptions({ maxConnections: 5 } as LeasedPgPoolOptions)
  expect(warn).toHaveBeenCalledOnce()
  expect(warn.mock.calls[0]?.[0]).toContain('"maxConnections"')
  warn.mockRestore()
})
