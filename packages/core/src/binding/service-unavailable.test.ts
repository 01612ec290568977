import { describe, expect, it } from 'vitest'
import { LeaseholdError } from '../errors/leasehold-error.js'
import { serviceUnavailable } from './service-unavailable.js'

function errorWith(retryAfterMs: number | undefined): LeaseholdError {
  return new LeaseholdError({
    code: 'LEASEHOLD_QUEUE_FULL',
    phase: 'queue',
    what: 'a secret',
    remedy: 'another',
    retryAfterMs,
  })
}

describe('an answer of 503', () => {
  it.each([
    [0, 1],
    [1, 1],
    [1_000, 1],
    [1_001, 2],
    [29_500, 30],
  ])('says when to come back in whole seconds, rounded up and never at once: %d ms', (ms, seconds) => {
    expect(serviceUnavailable(errorWith(ms))).toEqual({
      retryAfter: seconds,
      body: {
        statusCode: 503,
        error: 'Service Unavailable',
        code: 'LEASEHOLD_QUEUE_FULL',
        message: `The service cannot answer at the moment: try again in ${seconds} s`,
      },
    })
  })

  it.each([
    ['no error at all', undefined],
    ['a text', 'LEASEHOLD_QUEUE_FULL'],
    ['an error of somebody else', Object.assign(new Error('busy'), { statusCode: 503, retryAfterMs: 1_000 })],
    ['an error that no waiting cures', errorWith(undefined)],
    ['an error with another status', Object.assign(new Error('no tea', { cause: errorWith(1) }), { status: 418 })],
  ])('is none for %s', (_, error) => {
    expect(serviceUnavailable(error)).toBeUndefined()
  })

  it('is given for an error that says 503 itself, as those of adapters do', () => {
    const error = Object.assign(new Error('no connection', { cause: errorWith(2_000) }), { statusCode: 503 })

    expect(serviceUnavailable(error)).toMatchObject({ retryAfter: 2 })
  })

  it('is found however deep the cause lies, and ends where causes go round', () => {
    const round = new Error('outer', { cause: new Error('inner') })
    ;(round.cause as Error).cause = round

    expect(serviceUnavailable(new Error('a', { cause: new Error('b', { cause: errorWith(1) }) }))).toBeDefined()
    expect(serviceUnavailable(round)).toBeUndefined()
  })
})
