import type { Isolation, Propagation } from '@leasehold/core'
import type { Fault } from '@leasehold/testkit/fault-proxy'
import fc from 'fast-check'

/** One thing that a request does; what fails ends the request unless it is `caught`. */
export type Step = { readonly caught: boolean } & (
  | { readonly does: 'echo' | 'insert' | 'look' | 'dirty' | 'throw' }
  | { readonly does: 'fail'; readonly by: 'a division' | 'its syntax' | 'its values' }
  /** On the server; or here, holding what it holds. */
  | { readonly does: 'sleep' | 'idle'; readonly ms: number }
  /** Reads so many rows of more, on a client of its own. */
  | { readonly does: 'stream'; readonly rows: number; readonly isClosed: boolean }
  | {
      readonly does: 'by hand'
      readonly ends: 'COMMIT' | 'ROLLBACK' | 'not at all'
      readonly gives: 'back' | 'back to be closed' | 'back early' | 'nothing back'
      readonly steps: readonly Step[]
    }
  | {
      readonly does: 'transaction'
      readonly propagation: Propagation
      readonly timeoutMs: number | undefined
      readonly isolation: Isolation | undefined
      readonly retries: number
      readonly releases: boolean
      readonly steps: readonly Step[]
    }
  | { readonly does: 'at once'; readonly steps: readonly Step[] }
)

export interface RequestPlan {
  readonly afterMs: number
  readonly ends: { readonly by: 'deadline' | 'abort'; readonly ms: number } | { readonly by: 'itself' }
  readonly declares: boolean
  readonly mode: 'transaction' | 'session'
  readonly steps: readonly Step[]
}

/** How the weather changes. */
export interface Gust {
  readonly afterMs: number
  /** Undefined: all is well. */
  readonly fault: Fault | undefined
  /** The line that it meets, where it is not all of them and the door. */
  readonly line: number | undefined
}

export interface StormPlan {
  readonly max: number
  readonly queryTimeoutMs: number | undefined
  readonly requests: readonly RequestPlan[]
  readonly weather: readonly Gust[]
}

const ms = (most: number): fc.Arbitrary<number> => fc.integer({ min: 1, max: most })
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 3 })

const { steps } = fc.letrec<{ step: Step; steps: readonly Step[] }>((tie) => {
  const inner = tie('steps')
  const caught = fc.boolean()
  return {
    steps: fc.array(tie('step'), { minLength: 1, maxLength: 4 }),
    step: fc.oneof(
      { depthSize: 'small', maxDepth: 3 },
      { weight: 6, arbitrary: fc.record({ caught, does: fc.constantFrom('echo', 'insert', 'insert', 'look') }) },
      { weight: 1, arbitrary: fc.record({ caught, does: fc.constantFrom('dirty', 'throw') }) },
      {
        weight: 1,
        arbitrary: fc.record({
          caught,
          does: fc.constant('fail'),
          by: fc.constantFrom('a division', 'its syntax', 'its values'),
        }),
      },
      { weight: 2, arbitrary: fc.record({ caught, does: fc.constantFrom('sleep', 'idle'), ms: ms(200) }) },
      {
        weight: 1,
        arbitrary: fc.record({ caught, does: fc.constant('stream'), rows: fc.nat(30), isClosed: fc.boolean() }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          caught,
          does: fc.constant('by hand'),
          ends: fc.constantFrom('COMMIT', 'COMMIT', 'ROLLBACK', 'not at all'),
          gives: fc.constantFrom('back', 'back', 'back', 'back to be closed', 'back early', 'nothing back'),
          steps: inner,
        }),
      },
      {
        weight: 4,
        arbitrary: fc.record({
          caught,
          does: fc.constant('transaction'),
          propagation: fc.constantFrom<Propagation[]>(
            'required',
            'required',
            'required',
            'nested',
            'requires-new',
            'supports',
            'not-supported',
          ),
          timeoutMs: maybe(ms(300)),
          isolation: maybe(fc.constantFrom<Isolation[]>('read committed', 'serializable')),
          retries: fc.nat(2),
          releases: fc.integer({ min: 0, max: 9 }).map((of) => of === 0),
          steps: inner,
        }),
      },
      { weight: 1, arbitrary: fc.record({ caught, does: fc.constant('at once'), steps: inner }) },
    ) as fc.Arbitrary<Step>,
  }
})

const request: fc.Arbitrary<RequestPlan> = fc.record({
  afterMs: fc.nat(300),
  ends: fc.oneof(
    { weight: 3, arbitrary: fc.record({ by: fc.constantFrom('deadline', 'abort'), ms: ms(400) }) },
    { weight: 1, arbitrary: fc.record({ by: fc.constant('itself') }) },
  ) as fc.Arbitrary<RequestPlan['ends']>,
  declares: fc.boolean(),
  mode: fc.constantFrom('transaction', 'transaction', 'transaction', 'session'),
  steps,
})

const direction = fc.constantFrom('to-client', 'to-server')
const fault = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ is: fc.constant('freeze'), direction: fc.constantFrom('both', 'to-client', 'to-server') }),
  },
  { weight: 2, arbitrary: fc.constant({ is: 'reset' }) },
  { weight: 2, arbitrary: fc.record({ is: fc.constant('cut'), direction }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('half-close'), direction }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('delay'), ms: ms(120) }) },
  {
    weight: 1,
    arbitrary: fc.record({ is: fc.constant('throttle'), bytesPerSecond: fc.integer({ min: 300, max: 5_000 }) }),
  },
  { weight: 1, arbitrary: fc.constantFrom({ is: 'refuse' }, { is: 'hang' }, { is: 'close' }) },
) as fc.Arbitrary<Fault>

/** A handful of requests, and what befalls their server meanwhile. */
export const storms: fc.Arbitrary<StormPlan> = fc.record({
  max: fc.integer({ min: 1, max: 4 }),
  queryTimeoutMs: maybe(fc.integer({ min: 60, max: 200 })),
  requests: fc.array(request, { minLength: 2, maxLength: 8 }),
  weather: fc.array(fc.record({ afterMs: fc.nat(200), fault: maybe(fault), line: maybe(fc.nat(4)) }), { maxLength: 5 }),
})
