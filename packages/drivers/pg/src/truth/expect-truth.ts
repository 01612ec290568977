import fc from 'fast-check'
import { expect } from 'vitest'
import { faultsOf } from './failures-of.js'
import { forAWhile } from './for-a-while.js'
import type { ObservedSession } from './observed-session.js'
import { randomSteps } from './random-steps.js'
import type { Step } from './step.js'

/** Plays random sequences for a while, and has the ledger compared with the server after every step. */
export async function expectTruth(
  session: ObservedSession,
  forMs: number,
  {
    mayHoldMore = false,
    steps: arbitrary = randomSteps,
  }: { readonly mayHoldMore?: boolean; readonly steps?: fc.Arbitrary<readonly Step[]> } = {},
): Promise<void> {
  let played = 0
  await fc.assert(
    fc.asyncProperty(arbitrary, async (steps) => {
      const outcome = await session.play(steps)
      expect(faultsOf(mayHoldMore ? { ...outcome, excess: [] } : outcome)).toEqual([])
      played += 1
    }),
    forAWhile(forMs),
  )
  expect(played).toBeGreaterThan(forMs / 500)
}
