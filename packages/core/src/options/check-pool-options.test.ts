import { describe, expect, it } from 'vitest'
import { InvalidOptionsError } from '../errors/invalid-options-error.js'
import { checkPoolOptions } from './check-pool-options.js'
import type { PoolOptions, ResolvedPoolOptions } from './pool-options.js'

const CLOCK = { now: () => 0, wake: () => () => {} }

function check(options: unknown, driverName = 'fake'): ResolvedPoolOptions {
  return checkPoolOptions(options, driverName, { clock: CLOCK })
}

function refusalOf(options: unknown): InvalidOptionsError {
  try {
    check(options)
  } catch (error) {
    if (error instanceof InvalidOptionsError) return error
    throw error
  }
  throw new Error(`these options were not refused`)
}

type Cases = { readonly [Name in keyof PoolOptions]-?: readonly unknown[] }

const NO_NUMBERS = ['5', 'many', true, null, {}, [], () => 5, NaN, -Infinity, 5n]

/** Every option with what it must refuse. A new option does not compile until it stands here too. */
const WRONG: Cases = {
  name: ['', '  ', 5, null, {}],
  min: [...NO_NUMBERS, -1, 0.5, Infinity, 2 ** 53],
  max: [...NO_NUMBERS, 0, -1, 1.5, Infinity],
  overflow: [...NO_NUMBERS, -1, 0.5, Infinity],
  maxConnecting: [...NO_NUMBERS, 0, -1, 1.5],
  acquireTimeoutMs: [...NO_NUMBERS, -1, 0.5],
  maxWaiting: [...NO_NUMBERS, -1, 0.5],
  maxWaitingByPriority: [5, null, true, []],
  maxPerScope: [...NO_NUMBERS, 0, -1, 0.5],
  queueDelay: [5, null, true, []],
  utilization: [0.8, null, true, []],
  queryTimeoutMs: [...NO_NUMBERS, 0, -1, 0.5],
  cancelOnAbort: ['true', 1, 0, null, {}],
  connectTimeoutMs: [...NO_NUMBERS, 0, -1, 0.5],
  breaker: [true, 'off', null, [], 5],
  backoff: [true, 'off', null, [], 5],
  classify: [true, 'transient', null, {}, 5],
  idleTimeoutMs: [...NO_NUMBERS, -1, 0.5],
  idleOrder: ['LIFO', 'random', '', 1, null, true],
  maxLifetimeMs: [...NO_NUMBERS, 0, -1, 0.5],
  maxUses: [...NO_NUMBERS, 0, -1, 0.5],
  checkAfterIdleMs: [...NO_NUMBERS, -1, 0.5],
  checkTimeoutMs: [...NO_NUMBERS, 0, -1, 0.5, Infinity],
  check: [true, 'select 1', null, {}, 5],
  keepaliveMs: [...NO_NUMBERS, 0, -1, 0.5],
  warmUp: ['now', '', true, false, null],
  mode: ['sesion', 'Transaction', '', null, 1],
  resetTimeoutMs: [...NO_NUMBERS, 0, -1, 0.5, Infinity],
  closeTimeoutMs: [...NO_NUMBERS, -1, 0.5, Infinity],
  closeGraceMs: [...NO_NUMBERS, -1, 0.5, Infinity],
  leaks: ['on', true, null, 5, []],
  leakAfterMs: [...NO_NUMBERS, 0, -1, 0.5],
  idleInTransactionMs: [...NO_NUMBERS, 0, -1, 0.5],
  deadlockGraceMs: [...NO_NUMBERS, 0, -1, 0.5],
  pinWarnMs: [...NO_NUMBERS, 0, -1, 0.5],
  verifySessions: [...NO_NUMBERS, -0.1, 1.1],
  joinTransactions: ['every', 'on', true, null],
  requireSettings: ['app.tenant_id', null, {}, [1], [''], ['a b'], ["x'; drop table t"], ['a..b'], ['1a']],
  lateAcquire: ['throw', '', null, true],
  captureSites: ['never', '', null, true, false],
  observe: ['true', 1, 0, null, {}],
  allowExitOnIdle: ['true', 1, 0, null, {}],
  clock: [Date, null, {}, { now: () => 0 }, { wake: () => {} }, { now: 1, wake: 2 }, 5],
}

/** Every option with what it must take, the ends of its range first. */
const RIGHT: Cases = {
  name: ['orders'],
  min: [0, 1, 10],
  max: [1, 500],
  overflow: [0, 5],
  maxConnecting: [1, 1_000, Infinity],
  acquireTimeoutMs: [0, 60_000, Infinity],
  maxWaiting: [0, 1_000, Infinity],
  maxWaitingByPriority: [{}, { low: 0 }, { high: Infinity, normal: 10, low: 1 }],
  maxPerScope: [1, 5, Infinity],
  queueDelay: [false, {}, { targetMs: 1, intervalMs: 1 }],
  utilization: [false, {}, { above: 0, forMs: 1 }],
  queryTimeoutMs: [1, Infinity],
  cancelOnAbort: [true, false],
  connectTimeoutMs: [1, Infinity],
  breaker: [false],
  backoff: [false],
  classify: [() => undefined],
  idleTimeoutMs: [0, 1, Infinity],
  idleOrder: ['lifo', 'fifo'],
  maxLifetimeMs: [1, 2 ** 40, Infinity],
  maxUses: [1, 7_500, Infinity],
  checkAfterIdleMs: [0, Infinity],
  checkTimeoutMs: [1, 60_000],
  check: [async () => {}],
  keepaliveMs: [1, 60_000, Infinity],
  warmUp: ['lazy', 'eager', 'required'],
  mode: ['session', 'transaction', 'statement'],
  resetTimeoutMs: [1, 60_000],
  closeTimeoutMs: [0, 60_000],
  closeGraceMs: [0, 60_000],
  leaks: [],
  leakAfterMs: [1, Infinity],
  idleInTransactionMs: [1, Infinity],
  deadlockGraceMs: [1, Infinity],
  pinWarnMs: [1, Infinity],
  verifySessions: [0, 0.5, 1],
  joinTransactions: ['declared', 'all', 'off'],
  requireSettings: [[], ['role'], ['app.tenant_id', '_x.y$1', 'été']],
  lateAcquire: ['detach', 'refuse'],
  captureSites: ['adaptive', 'always', 'off'],
  observe: [true, false],
  allowExitOnIdle: [true, false],
  clock: [{ now: () => 5, wake: () => () => {} }],
}

function casesOf(table: Cases): [name: keyof PoolOptions, value: unknown][] {
  return Object.entries(table).flatMap(([name, values]) =>
    values.map((value): [keyof PoolOptions, unknown] => [name as keyof PoolOptions, value]),
  )
}

describe('a pool option out of range', () => {
  it.each(casesOf(WRONG))('is refused by its name: %s %o', (name, value) => {
    const { faults, code } = refusalOf({ [name]: value })

    expect(code).toBe('LEASEHOLD_INVALID_OPTIONS')
    expect(faults.map((fault) => fault.option)).toEqual([name])
    expect(faults[0]?.expected).not.toBe('')
  })

  it('tells what was received and what would have been right', () => {
    expect(refusalOf({ max: 0 }).message).toContain('max: expected a whole number from 1 on, received 0')
    expect(refusalOf({ mode: 'sesion' }).message).toContain(
      "mode: expected 'session' or 'transaction' or 'statement', received 'sesion'",
    )
  })
})

describe('a pool option that holds several', () => {
  it.each([
    [{ queueDelay: { targetMs: 0, intervalMs: Infinity } }, ['queueDelay.targetMs', 'queueDelay.intervalMs']],
    [{ queueDelay: { target: 5 } }, ['queueDelay.target']],
    [{ maxWaitingByPriority: { low: -1, urgent: 1 } }, ['maxWaitingByPriority.low', 'maxWaitingByPriority.urgent']],
    [{ utilization: { above: 1 } }, ['utilization.above']],
  ])('is refused by the name of each that is wrong: %o', (options, names) => {
    expect(refusalOf(options).faults.map(({ option }) => option)).toEqual(names)
  })
})

describe('a pool option in range', () => {
  it.each(casesOf(RIGHT))('is taken as it is: %s %o', (name, value) => {
    expect(check({ [name]: value })[name]).toBe(value)
  })
})

describe('faults of pool options', () => {
  it('are all reported together', () => {
    const { faults, remedy } = refusalOf({
      max: 0,
      min: 'two',
      maxLifetime: 5,
      mode: 'x',
      observe: 1,
      keepaliveMs: 1e9,
    })

    expect(faults.map((fault) => fault.option)).toEqual(['min', 'max', 'mode', 'observe', 'maxLifetime', 'keepaliveMs'])
    expect(remedy).toContain('all 6')
  })

  it('name the known option nearest to an unknown one', () => {
    expect(refusalOf({ maxLifeTime: 5 }).message).toContain(
      'maxLifeTime: expected no option of this name (did you mean maxLifetimeMs?), received a number',
    )
    expect(refusalOf({ flavour: 5 }).message).toContain('flavour: expected no option of this name, received a number')
  })

  it.each([null, 'postgres://app:s3cret@db/app', 5, true, [], () => {}])(
    'are found when options are no object: %o',
    (options) => {
      expect(refusalOf(options).faults.map((fault) => fault.option)).toEqual(['options'])
    },
  )

  it.each([
    ['a password under a name of its own', { password: 's3cret' }],
    ['a connection string under a name of its own', { connectionString: 'postgres://app:s3cret@db/app' }],
    ['a connection string under a known name', { max: 'postgres://app:s3cret@db/app' }],
    ['a connection string as the options', 'postgres://app:s3cret@db/app'],
    ['an object with a password in it', { check: { password: 's3cret' } }],
    ['a text with blanks', { warmUp: 'password = s3cret' }],
  ])('never print %s', (_, options) => {
    const refusal = refusalOf(options)

    expect(JSON.stringify([refusal.message, refusal.faults])).not.toContain('s3cret')
  })

  it('do not arise from names that every object has', () => {
    expect(refusalOf({ toString: 5 }).faults[0]?.option).toBe('toString')
    expect(refusalOf({ constructor: 5 }).faults[0]?.option).toBe('constructor')
  })
})

describe('pool options that contradict each other', () => {
  it('are refused when min is above max', () => {
    expect(refusalOf({ min: 5, max: 4 }).message).toContain('max: expected at least min, which is 5, received 4.')
    expect(refusalOf({ min: 11 }).message).toContain(
      'max: expected at least min, which is 11, received 10 (the default)',
    )
    expect(check({ min: 4, max: 4 })).toMatchObject({ min: 4, max: 4 })
  })

  it('are refused when a keepalive would never come', () => {
    expect(refusalOf({ keepaliveMs: 500, maxLifetimeMs: 500 }).faults[0]?.option).toBe('keepaliveMs')
    expect(refusalOf({ keepaliveMs: 1_800_000 }).message).toContain('less than maxLifetimeMs, which is 1800000')
    expect(check({ keepaliveMs: 499, maxLifetimeMs: 500 }).keepaliveMs).toBe(499)
    expect(check({ keepaliveMs: Infinity, maxLifetimeMs: Infinity }).keepaliveMs).toBe(Infinity)
  })

  it('are not looked for where one of them is wrong by itself', () => {
    expect(refusalOf({ min: 20, max: 'many' }).faults.map((fault) => fault.option)).toEqual(['max'])
  })

  it('may have more connects at once than slots, which bound them anyway', () => {
    expect(check({ max: 1, maxConnecting: 5 })).toMatchObject({ max: 1, maxConnecting: 5 })
  })
})

describe('checked pool options', () => {
  it('have the documented defaults', () => {
    expect(check(undefined)).toEqual({
      name: expect.stringMatching(/^fake-\d+$/),
      min: 0,
      max: 10,
      overflow: 0,
      maxConnecting: 2,
      acquireTimeoutMs: 5_000,
      maxWaiting: Infinity,
      maxWaitingByPriority: {},
      maxPerScope: Infinity,
      queueDelay: {},
      utilization: {},
      queryTimeoutMs: Infinity,
      cancelOnAbort: true,
      connectTimeoutMs: 5_000,
      breaker: {
        consecutiveFailures: 5,
        failureRate: 0.5,
        minimumAttempts: 10,
        windowMs: 30_000,
        probeAfterMs: 1_000,
        maxProbeAfterMs: 30_000,
        reportOnly: false,
      },
      backoff: { baseMs: 100, capMs: 2_000 },
      idleTimeoutMs: 10_000,
      idleOrder: 'lifo',
      maxLifetimeMs: 1_800_000,
      maxUses: Infinity,
      checkAfterIdleMs: 1_000,
      checkTimeoutMs: 1_000,
      keepaliveMs: Infinity,
      warmUp: 'lazy',
      mode: 'transaction',
      resetTimeoutMs: 5_000,
      closeTimeoutMs: 1_000,
      closeGraceMs: 5_000,
      leaks: { overdue: 'report', leftOver: 'reclaim', forgotten: 'reclaim', idleInTransaction: 'report' },
      leakAfterMs: 30_000,
      idleInTransactionMs: 30_000,
      deadlockGraceMs: 100,
      pinWarnMs: 30_000,
      verifySessions: 0,
      requireSettings: [],
      joinTransactions: 'declared',
      lateAcquire: 'detach',
      captureSites: 'adaptive',
      observe: false,
      allowExitOnIdle: false,
      clock: CLOCK,
    })
  })

  it('have the defaults of a group too, but for what was given of it', () => {
    const { breaker, backoff } = check({ breaker: { probeAfterMs: 250, windowMs: undefined }, backoff: { capMs: 500 } })

    expect(breaker).toMatchObject({ probeAfterMs: 250, windowMs: 30_000, consecutiveFailures: 5 })
    expect(backoff).toEqual({ baseMs: 100, capMs: 500 })
    expect(Object.isFrozen(breaker)).toBe(true)
  })

  it('name each option of a group that is wrong, all together with the others', () => {
    const { faults } = refusalOf({
      max: 0,
      breaker: { consecutiveFailures: 0, failureRate: 2, probeAfter: 5, reportOnly: 'yes' },
      backoff: { baseMs: 500, capMs: 400 },
    })

    expect(faults.map(({ option, expected }) => `${option}: ${expected}`)).toEqual([
      'max: a whole number from 1 on',
      'breaker.consecutiveFailures: a whole number from 1 on, or Infinity',
      'breaker.failureRate: a number from 0 to 1',
      'breaker.reportOnly: true or false',
      'breaker.probeAfter: no option of this name (did you mean probeAfterMs?)',
      'backoff.capMs: at least baseMs, which is 500',
    ])
    expect(refusalOf({ breaker: { maxProbeAfterMs: 10 } }).faults).toEqual([
      { option: 'breaker.maxProbeAfterMs', received: '10', expected: 'at least probeAfterMs, which is 1000' },
    ])
  })

  it('treat an explicit undefined as not given, even under an unknown name', () => {
    const options = check({ max: undefined, check: undefined, name: undefined, nonsense: undefined })

    expect(options.max).toBe(10)
    expect(Object.keys(options)).not.toContain('check')
    expect(Object.keys(options)).not.toContain('nonsense')
  })

  it('are frozen, and leave the given object alone', () => {
    const given = { max: 3 }
    const options = check(given)

    expect(Object.isFrozen(options)).toBe(true)
    given.max = 99
    expect(options.max).toBe(3)
    expect(Object.keys(given)).toEqual(['max'])
  })

  it('number the pools of each driver, and skip no number for a pool that was refused', () => {
    expect(check({}, 'oracle').name).toBe('oracle-1')
    expect(() => check({ max: 0 }, 'oracle')).toThrow(InvalidOptionsError)
    expect(check({ name: 'orders' }, 'oracle').name).toBe('orders')
    expect(check({}, 'oracle').name).toBe('oracle-2')
    expect(check({}, 'db2').name).toBe('db2-1')
  })
})
