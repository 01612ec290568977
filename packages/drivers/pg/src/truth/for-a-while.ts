import fc from 'fast-check'
import { SEED } from '@leasehold/testkit'

/** Plays as many as there is time for. */
export function forAWhile(forMs: number) {
  return { ...SEED, numRuns: 1_000_000, plugins: [fc.interruptAfterTimeLimit(forMs)] }
}
