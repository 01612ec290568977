import fc from 'fast-check'

/** Plays as many as there is time for. */
export function forAWhile(forMs: number) {
  return { numRuns: 1_000_000, plugins: [fc.interruptAfterTimeLimit(forMs)] }
}
