import { currentScope } from '@leasehold/core'
import type { LeasedPgPool } from '@leasehold/pg'

/** Whether a transaction that is opened now shares its session with others: inside `pool.transaction`, and in mode `session`. */
export function takesTurns({ leases }: LeasedPgPool): boolean {
  if (leases.isInTransaction) return true
  const scope = currentScope()
  return scope !== undefined && (scope.mode ?? leases.options.mode) === 'session'
}
