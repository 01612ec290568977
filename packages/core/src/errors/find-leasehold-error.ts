import { isLeaseholdError, type LeaseholdError } from './leasehold-error.js'

/**
 * The first error of Leasehold in `error` and its chain of causes, or undefined. ORMs wrap what a driver throws, so
 * whoever answers a request looks here and not at the outermost error.
 */
export function findLeaseholdError(error: unknown): LeaseholdError | undefined {
  const seen = new Set<unknown>()
  for (let current = error; typeof current === 'object' && current !== null && !seen.has(current); ) {
    if (isLeaseholdError(current)) return current
    seen.add(current)
    current = (current as { cause?: unknown }).cause
  }
  return undefined
}
