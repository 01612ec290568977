import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { AcquireTimeoutError } from './acquire-timeout-error.js'
import { serviceUnavailable } from '../binding/service-unavailable.js'
import { CircuitOpenError } from './circuit-open-error.js'
import { ConnectFailedError } from './connect-failed-error.js'
import { attachLeaseholdError, findLeaseholdError } from './find-leasehold-error.js'
import { isLeaseholdError, LeaseholdError } from './leasehold-error.js'
import { PoolClosedError } from './pool-closed-error.js'
import { QueueFullError } from './queue-full-error.js'

const holder = {
  label: 'GET /slow',
  site: 'at slow (/srv/slow.ts:3:1)',
  isLong: false,
  heldMs: 4_900,
  busyMs: 12,
  statement: 'select ?',
  pins: [],
}
const timeout = new AcquireTimeoutError({
  pool: 'orders',
  waitedMs: 5_000,
  waiting: 31,
  total: 10,
  limit: 10,
  holders: [holder],
  paused: false,
  lastConnectFailure: undefined,
})

describe('an error of Leasehold', () => {
  it('tells in one line what happened and what to do, with the facts as fields', () => {
    expect(timeout.message).toBe(
      'no connection of pool "orders" was free within 5000 ms (1 lent, 10 of 10 open, 31 more waiting); ' +
        'held by GET /slow for 4900 ms (database 12 ms) at slow (/srv/slow.ts:3:1). ' +
        'Release sooner, make the named holders faster, or raise max within what the database allows',
    )
    expect(timeout).toMatchObject({ code: 'LEASEHOLD_ACQUIRE_TIMEOUT', phase: 'queue', pool: 'orders', waiting: 31 })
  })

  it('says whether a web service should answer 503, and when to come back', () => {
    expect(timeout).toMatchObject({ statusCode: 503, retryAfterMs: 1_000 })
    expect(new PoolClosedError('orders').statusCode).toBeUndefined()
  })

  it('says of an open circuit what failed last, and when to come back, rounded up', () => {
    const error = new CircuitOpenError({
      pool: 'orders',
      why: '5 attempts in a row failed',
      retryAfterMs: 812.3,
      cause: new Error('connection refused'),
    })

    expect(error.message).toContain(
      'pool "orders" opens no connections for the moment: 5 attempts in a row failed; last: connection refused. Answer 503',
    )
    expect(error).toMatchObject({ code: 'LEASEHOLD_CIRCUIT_OPEN', statusCode: 503, retryAfterMs: 813 })
    expect(serviceUnavailable(error)).toMatchObject({ retryAfter: 1, body: { code: 'LEASEHOLD_CIRCUIT_OPEN' } })
  })

  it.each([
    // What Node throws for `localhost` where that has two addresses and nobody listens.
    [
      new AggregateError([
        new Error('connect ECONNREFUSED ::1:5432'),
        new Error('connect ECONNREFUSED 127.0.0.1:5432'),
      ]),
      'connect ECONNREFUSED ::1:5432; connect ECONNREFUSED 127.0.0.1:5432',
    ],
    [runInNewContext('new Error("of another realm")'), 'of another realm'],
    [new TypeError(''), 'TypeError'],
    ['a text', 'a text'],
    [null, 'null'],
    [Object.create(null), 'something was thrown that is no error'],
  ])('says why a connection could not be opened, whatever was thrown: %#', (cause, said) => {
    const facts = { pool: 'orders', driver: 'pg', afterMs: 1, how: 'refused', kind: 'transient', cause } as const
    expect(new ConnectFailedError(facts).message).toContain(`pool "orders" (pg) could not open a connection: ${said}. `)
  })

  it('says that its message is not for clients', () => {
    expect(timeout.expose).toBe(false)
    expect(Object.keys(timeout)).not.toContain('expose')
  })

  it('is recognised when another installed copy made it', async () => {
    const { vi } = await import('vitest')
    vi.resetModules()
    const other = await import('./leasehold-error.js')
    const foreign = new other.LeaseholdError({ code: 'LEASEHOLD_ABORTED', phase: 'queue', what: 'it', remedy: 'so' })

    expect(other.LeaseholdError).not.toBe(LeaseholdError)
    expect(foreign instanceof LeaseholdError).toBe(true)
    expect(isLeaseholdError(foreign)).toBe(true)
    expect(foreign instanceof QueueFullError).toBe(false)
    expect(new Error('no') instanceof LeaseholdError).toBe(false)
  })

  it('is found wherever an ORM hid it in the chain of causes', () => {
    const wrapped = new Error('query failed', { cause: new Error('inner', { cause: timeout }) })
    expect(findLeaseholdError(wrapped)).toBe(timeout)
    expect(findLeaseholdError(new Error('plain'))).toBeUndefined()
    expect(findLeaseholdError('text')).toBeUndefined()
  })

  it('is found on a driver’s own error that reached the caller as it was, which shows nothing of it', () => {
    const own = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    attachLeaseholdError(own, timeout)
    attachLeaseholdError(Object.freeze(new Error('frozen')), timeout)

    expect(findLeaseholdError(new Error('of the ORM', { cause: own }))).toBe(timeout)
    expect(JSON.stringify(own)).toBe('{"code":"ECONNREFUSED"}')
    expect(own.cause).toBeUndefined()
  })

  it('is looked for in a chain that bites its own tail without end', () => {
    const error = new Error('a') as Error & { cause: unknown }
    error.cause = error
    expect(findLeaseholdError(error)).toBeUndefined()
  })
})
