import { describe, expect, it, vi } from 'vitest'
import { Breaker } from './breaker.js'
import type { BreakerState } from './breaker-state.js'
import { ConsecutiveFailures } from './trip-rules/consecutive-failures.js'

const CAUSE = new Error('refused')

/** A breaker that trips at the second failure in a row; its pauses have no jitter. */
function breakerOf(enforces = true, random: () => number = () => 0): { breaker: Breaker; told: string[] } {
  const told: string[] = []
  const breaker = new Breaker({
    rules: [new ConsecutiveFailures(2)],
    probeAfterMs: 1_000,
    maxProbeAfterMs: 5_000,
    enforces,
    random,
    changed: (from, to) => told.push(`${from.is} → ${to.is}`),
  })
  return { breaker, told }
}

type Name = BreakerState['is']

/** A breaker in each of its states at time 2,000; a probe is due if it is open. */
const INTO: Readonly<Record<Name, (breaker: Breaker) => void>> = {
  closed: (breaker) => breaker.record('connect failed', 900, 900, CAUSE),
  open: (breaker) => {
    breaker.record('connect failed', 900, 900, CAUSE)
    breaker.record('connect failed', 1_000, 1_000, CAUSE)
  },
  'half-open': (breaker) => {
    INTO.open(breaker)
    breaker.probe(2_000)
  },
  'forced-open': (breaker) => breaker.force('open'),
  'forced-closed': (breaker) => breaker.force('closed'),
}

const INPUTS = {
  'an attempt succeeds': (breaker: Breaker) => breaker.record('connected', 2_000, 2_000),
  'an old attempt succeeds': (breaker: Breaker) => breaker.record('connected', 950, 2_000),
  'an attempt fails': (breaker: Breaker) => breaker.record('connect failed', 2_000, 2_000, CAUSE),
  'an old attempt fails': (breaker: Breaker) => breaker.record('connect failed', 950, 2_000, CAUSE),
  'a check fails': (breaker: Breaker) => breaker.record('check failed', 2_000, 2_000, CAUSE),
  'a probe is asked for': (breaker: Breaker) => breaker.probe(2_000),
  'a probe is asked for too early': (breaker: Breaker) => breaker.probe(1_999),
  'leave is asked for': (breaker: Breaker) => breaker.permit(2_000),
  'it is reset': (breaker: Breaker) => breaker.reset(),
  'it is forced open': (breaker: Breaker) => breaker.force('open'),
  'it is forced closed': (breaker: Breaker) => breaker.force('closed'),
  'it is let go': (breaker: Breaker) => breaker.force('automatic'),
} as const

type Input = keyof typeof INPUTS

/** Where each input leads from each state: every cell, so that a new state or input does not compile without its row. */
const TABLE: Readonly<Record<Input, Readonly<Record<Name, Name>>>> = {
  'an attempt succeeds': same({ open: 'closed', 'half-open': 'closed' }),
  'an old attempt succeeds': same({ open: 'closed', 'half-open': 'closed' }),
  'an attempt fails': same({ closed: 'open', 'half-open': 'open' }),
  'an old attempt fails': same({ closed: 'open' }),
  'a check fails': same({ closed: 'open' }),
  'a probe is asked for': same({ open: 'half-open' }),
  'a probe is asked for too early': same({}),
  'leave is asked for': same({}),
  'it is reset': same({ open: 'closed', 'half-open': 'closed' }),
  'it is forced open': all('forced-open'),
  'it is forced closed': all('forced-closed'),
  'it is let go': same({ 'forced-open': 'closed', 'forced-closed': 'closed' }),
}

function all(to: Name): Record<Name, Name> {
  return { closed: to, open: to, 'half-open': to, 'forced-open': to, 'forced-closed': to }
}

function same(but: Partial<Record<Name, Name>>): Record<Name, Name> {
  return {
    closed: 'closed',
    open: 'open',
    'half-open': 'half-open',
    'forced-open': 'forced-open',
    'forced-closed': 'forced-closed',
    ...but,
  }
}

const cells = (Object.keys(TABLE) as Input[]).flatMap((input) =>
  (Object.keys(INTO) as Name[]).map((from) => ({ from, input, to: TABLE[input][from] })),
)

describe('the breaker', () => {
  it.each(cells)('goes from $from to $to when $input', ({ from, input, to }) => {
    const { breaker, told } = breakerOf()
    INTO[from](breaker)
    expect(breaker.state.is).toBe(from)
    told.length = 0

    INPUTS[input](breaker)

    expect(breaker.state.is).toBe(to)
    expect(told).toEqual(from === to ? [] : [`${from} → ${to}`])
  })

  it.each([
    ['closed', true, true],
    ['open', false, true],
    ['half-open', false, true],
    ['forced-open', false, false],
    ['forced-closed', true, true],
  ] as const)('when %s gives leave: %s; and if it only reports: %s', (state, enforcing, reporting) => {
    for (const [enforces, given] of [
      [true, enforcing],
      [false, reporting],
    ] as const) {
      const { breaker } = breakerOf(enforces)
      INTO[state](breaker)
      expect([breaker.permit(1_500), breaker.isShut]).toEqual([given, !given])
    }
  })

  it('says why it opened, with the last failure, and when it tries again', () => {
    const { breaker } = breakerOf()
    INTO.open(breaker)
    expect(breaker.state).toEqual({
      is: 'open',
      since: 1_000,
      probeAt: 2_000,
      failedProbes: 0,
      why: '2 attempts in a row failed',
      cause: CAUSE,
    })
    expect(breaker.failures).toBe(2)
  })

  it('waits twice as long after each probe that fails, up to the longest pause, and starts over once it has closed', () => {
    const { breaker } = breakerOf()
    INTO.open(breaker)
    const pauses: number[] = []
    for (let probe = 0; probe < 5; probe += 1) {
      if (breaker.state.is !== 'open') throw new Error('it is not open')
      const { probeAt, since } = breaker.state
      pauses.push(probeAt - since)
      expect(breaker.probe(probeAt)).toBe(true)
      breaker.record('connect failed', probeAt, probeAt + 10, CAUSE)
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 5_000, 5_000])
    breaker.record('connected', 20_000, 20_000)
    breaker.record('connect failed', 20_001, 20_001)
    breaker.record('connect failed', 20_002, 20_002)
    expect(breaker.state).toMatchObject({ is: 'open', probeAt: 21_002 })
  })

  it('shortens each pause by up to a fifth', () => {
    const random = vi.fn(() => 0.999_999)
    const { breaker } = breakerOf(true, random)
    INTO.open(breaker)
    expect(breaker.state).toMatchObject({ probeAt: expect.closeTo(1_800, 2) as number })
  })

  it('begins one probe, however often it is asked', () => {
    const { breaker } = breakerOf()
    INTO.open(breaker)
    expect([2_000, 2_000, 9_000].map((now) => breaker.probe(now))).toEqual([true, false, false])
  })

  it('that only reports begins no probe of its own: the next attempt of a caller is one', () => {
    const { breaker, told } = breakerOf(false)
    INTO.open(breaker)
    expect([breaker.probe(2_000), breaker.permit(1_999), breaker.state.is]).toEqual([false, true, 'open'])
    expect([breaker.permit(2_000), breaker.state.is]).toEqual([true, 'half-open'])
    breaker.record('connected', 2_000, 2_001)
    expect(told).toEqual(['closed → open', 'open → half-open', 'half-open → closed'])
  })

  it('forgets what it saw before it was opened', () => {
    const { breaker } = breakerOf()
    INTO['half-open'](breaker)
    breaker.record('connected', 2_000, 2_001)
    breaker.record('connect failed', 2_002, 2_002)
    expect(breaker.state.is).toBe('closed')
  })
})
