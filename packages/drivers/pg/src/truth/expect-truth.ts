import fc from 'fast-check'
import { expect } from 'vitest'
import { faultsOf } from './failures-of.js'
import type { ObservedSession } from './observed-session.js'
import { randomSteps } from './random-steps.js'

/** Plays random sequences and has the ledger compared with the server after every step. */
export async function expectTruth(session: ObservedSession, { runs }: { readonly runs: number }): Promise<void> {
  await fc.assert(
    fc.asyncProperty(randomSteps, async (steps) => {
      expect(faultsOf(await session.play(steps))).toEqual([])
    }),
    { numRuns: runs },
  )
}
