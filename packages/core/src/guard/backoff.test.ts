import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Backoff } from './backoff.js'

describe('the pause after a failure', () => {
  it('lies between the base and three times the last one, and never above the cap', () => {
    const bounds = fc.record({ baseMs: fc.integer({ min: 1, max: 500 }), above: fc.integer({ min: 0, max: 10_000 }) })
    fc.assert(
      fc.property(bounds, fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })), (of, draws) => {
        const capMs = of.baseMs + of.above
        const left = [...draws]
        const backoff = new Backoff({ baseMs: of.baseMs, capMs }, () => left.shift() ?? 0)
        let last = of.baseMs
        for (const _ of draws) {
          const pause = backoff.next()
          expect(pause).toBeGreaterThanOrEqual(of.baseMs)
          expect(pause).toBeLessThanOrEqual(Math.min(capMs, 3 * last))
          last = pause
        }
      }),
    )
  })

  it('is spread evenly over all that it may be', () => {
    const tenths = new Array<number>(10).fill(0)
    for (let draw = 0; draw < 10_000; draw += 1) {
      const pause = new Backoff({ baseMs: 100, capMs: 2_000 }).next()
      const tenth = Math.floor((pause - 100) / 20)
      tenths[tenth] = (tenths[tenth] ?? 0) + 1
    }
    // A thousand each, give or take six standard deviations.
    for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(180)
  })

  it('grows to about the cap while it goes on failing, and starts over when it goes well', () => {
    const backoff = new Backoff({ baseMs: 100, capMs: 2_000 }, () => 0.99)
    const pauses = Array.from({ length: 6 }, () => Math.round(backoff.next()))
    expect(pauses).toEqual([298, 886, 2_000, 2_000, 2_000, 2_000])
    backoff.reset()
    expect(Math.round(backoff.next())).toBe(298)
  })
})
