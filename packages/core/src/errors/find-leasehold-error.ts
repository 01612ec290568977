import { isLeaseholdError, type LeaseholdError } from './leasehold-error.js'

/** Registered, so that what one copy attaches another finds. */
const ATTACHED = Symbol.for('leasehold.error.attached')

/**
 * The first error of Leasehold in `error` and its chain of causes, or undefined. ORMs wrap what a driver throws, and a
 * facade throws the driver's own error, so whoever answers a request looks here and not at the outermost error.
 */
export function findLeaseholdError(error: unknown): LeaseholdError | undefined {
  const seen = new Set<unknown>()
  for (let current = error; typeof current === 'object' && current !== null && !seen.has(current);) {
    if (isLeaseholdError(current)) return current
    const attached = (current as { [ATTACHED]?: unknown })[ATTACHED]
    if (isLeaseholdError(attached)) return attached
    seen.add(current)
    current = (current as { cause?: unknown }).cause
  }
  return undefined
}

/**
 * Lets `findLeaseholdError` find `leaseholdError` on a driver's own error, which must reach the caller as it is. Not as
 * its `cause`: that is the other way round, and a circle would be printed by every log.
 */
export function attachLeaseholdError(error: object, leaseholdError: LeaseholdError): void {
  if (!Object.isExtensible(error)) return
  Object.defineProperty(error, ATTACHED, { value: leaseholdError, configurable: true, writable: true })
}
