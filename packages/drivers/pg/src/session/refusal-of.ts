import type { LeaseGate } from '@leasehold/core'

/** Why `operation` may not be done any more on the lease of `gate`, if it may not. A pool that observes lets all pass. */
export function refusalOf(gate: LeaseGate, operation: string): Error | undefined {
  try {
    gate.pass(operation)
    return undefined
  } catch (error) {
    return error as Error
  }
}
