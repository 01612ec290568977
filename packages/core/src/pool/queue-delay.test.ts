import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { QueueDelay } from './queue-delay.js'

const INTERVAL = 100

/** Somebody joins or is served at a moment; served, after having waited for so long. */
type Step = { readonly at: number } & ({ readonly joins: true } | { readonly servedAfter: number })

/** What `standingMs` is after each step. */
function play(steps: readonly Step[]): number[] {
  const delay = new QueueDelay(INTERVAL)
  let waiting = 0
  return steps.map((step) => {
    if ('joins' in step) delay.joins(waiting++ === 0)
    else {
      waiting -= 1
      delay.serves(step.servedAfter, step.at)
    }
    return delay.standingMs
  })
}

/** The same rule, said over the whole history instead of step by step. */
function oracle(steps: readonly Step[]): number[] {
  const standing: number[] = []
  let waiting = 0
  let interval: { endsAt: number; steps: Step[]; wasEmpty: boolean } = { endsAt: -Infinity, steps: [], wasEmpty: true }
  let now = 0
  for (const step of steps) {
    if ('joins' in step) {
      if (waiting === 0) {
        now = 0
        interval.wasEmpty = true
      }
      waiting += 1
      interval.steps.push(step)
    } else {
      waiting -= 1
      if (step.at < interval.endsAt) interval.steps.push(step)
      else {
        const delays = interval.steps.flatMap((one) => ('servedAfter' in one ? [one.servedAfter] : []))
        const joined = interval.steps.filter((one) => 'joins' in one).length
        // The one that ends the interval has been served in it, and its delay is the next one's first.
        const isGrowing = joined > delays.length - (interval.endsAt === -Infinity ? 0 : 1) + 1
        now = isGrowing && !interval.wasEmpty ? Math.min(...delays) : 0
        interval = { endsAt: step.at + INTERVAL, steps: [step], wasEmpty: false }
      }
    }
    standing.push(now)
  }
  return standing
}

const steps = fc
  .array(
    fc.record({
      pause: fc.integer({ min: 0, max: 60 }),
      joins: fc.boolean(),
      servedAfter: fc.integer({ min: 0, max: 400 }),
    }),
    { maxLength: 200 },
  )
  .map((drafts) => {
    let at = 1_000
    let waiting = 0
    return drafts.map(({ pause, joins, servedAfter }): Step => {
      at += pause
      if (joins || waiting === 0) {
        waiting += 1
        return { at, joins: true }
      }
      waiting -= 1
      return { at, servedAfter }
    })
  })

describe('a queue stands', () => {
  it('by the least delay of the last whole interval, as long as more come than are served', () => {
    fc.assert(
      fc.property(steps, (all) => {
        expect(play(all)).toEqual(oracle(all))
      }),
      { numRuns: 500 },
    )
  })

  const joins = (at: number, times = 1): Step[] => Array.from({ length: times }, () => ({ at, joins: true }))
  const TABLE: Array<[string, Step[], number]> = [
    ['not when nobody has been served', joins(0, 50), 0],
    [
      'not after an interval in which one was served at once',
      [
        ...joins(0, 9),
        { at: 0, servedAfter: 0 },
        { at: 50, servedAfter: 50 },
        ...joins(60, 9),
        { at: 101, servedAfter: 90 },
      ],
      0,
    ],
    [
      'after one in which each waited',
      [
        ...joins(0, 9),
        { at: 10, servedAfter: 10 },
        ...joins(60, 9),
        { at: 100, servedAfter: 30 },
        { at: 111, servedAfter: 40 },
      ],
      10,
    ],
    [
      'not while a burst is served and nobody else comes',
      [...joins(0, 99), ...[10, 60, 110, 160, 210, 260, 310, 360].map((at) => ({ at, servedAfter: at }))],
      0,
    ],
    [
      'no more as soon as it has been empty',
      [
        ...joins(0, 3),
        { at: 10, servedAfter: 10 },
        ...joins(60, 3),
        { at: 111, servedAfter: 40 },
        ...[112, 113, 114, 115].map((at) => ({ at, servedAfter: 50 })),
        ...joins(116),
      ],
      0,
    ],
  ]
  it.each(TABLE)('%s', (_, all, standingMs) => {
    expect(play(all).at(-1)).toBe(standingMs)
  })
})
