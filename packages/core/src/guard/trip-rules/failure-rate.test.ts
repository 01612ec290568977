import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FailureRate } from './failure-rate.js'
import type { Sighting } from './trip-rule.js'

const TERMS = { share: 0.5, minimumAttempts: 4, windowMs: 1_000 }

/** The same by keeping everything: what lies in the slice of `now` and the nine before it. */
function bruteForce(seen: ReadonlyArray<{ at: number; sighting: Sighting }>, now: number): string | undefined {
  const slice = (at: number): number => Math.floor(at / 100)
  const counted = seen.filter(({ at, sighting }) => sighting !== 'check failed' && slice(at) > slice(now) - 10)
  const failures = counted.filter(({ sighting }) => sighting === 'connect failed').length
  if (counted.length < TERMS.minimumAttempts || failures === 0 || failures / counted.length < TERMS.share) {
    return undefined
  }
  return `${failures} of the last ${counted.length} attempts failed`
}

describe('the failure rate', () => {
  it('is that of what was seen within the window, whatever came when', () => {
    const step = fc.record({
      afterMs: fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 3_000 })),
      sighting: fc.constantFrom<Sighting>('connected', 'connect failed', 'check failed'),
    })
    fc.assert(
      fc.property(fc.nat({ max: 10 ** 9 }), fc.array(step, { maxLength: 120 }), (startAt, steps) => {
        const rule = new FailureRate(TERMS)
        const seen: Array<{ at: number; sighting: Sighting }> = []
        let now = startAt
        for (const { afterMs, sighting } of steps) {
          now += afterMs
          rule.record(sighting, now)
          seen.push({ at: now, sighting })
          expect(rule.verdict(now)).toBe(bruteForce(seen, now))
        }
      }),
      { numRuns: 300 },
    )
  })

  it('forgets in an idle hour, without a timer', () => {
    const rule = new FailureRate(TERMS)
    for (let count = 0; count < 20; count += 1) rule.record('connect failed', 500)
    expect(rule.verdict(600)).toBe('20 of the last 20 attempts failed')
    expect(rule.verdict(3_600_000)).toBeUndefined()
    rule.record('connect failed', 3_600_000)
    expect(rule.verdict(3_600_000)).toBeUndefined()
  })

  it('is not raised by checks: where a firewall drops idle connections, each check fails and each attempt succeeds', () => {
    const rule = new FailureRate(TERMS)
    for (let count = 0; count < 50; count += 1) {
      rule.record('check failed', count)
      rule.record('connected', count)
    }
    expect(rule.verdict(50)).toBeUndefined()
  })
})
