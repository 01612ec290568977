/** What is looked at. */
export interface WatchedTransaction {
  readonly connection: {
    readonly ledger: {
      readonly transaction: 'idle' | 'open' | 'failed'
      readonly isQuiet: boolean
      readonly answeredAt: number | undefined
    }
  }
  /** Whether the transaction that is open now has been found before. */
  isIdleInTransaction: boolean
}

/**
 * Which open transactions have had no statement for `afterMs` and were not found before, and when the next may be. One that
 * begins after this look is due after that, so that nothing need be done when it begins.
 */
export function idleInTransaction<L extends WatchedTransaction>(
  leases: readonly L[],
  now: number,
  afterMs: number,
): { readonly found: readonly L[]; readonly nextAt: number } {
  const found: L[] = []
  let nextAt = leases.length === 0 ? Number.POSITIVE_INFINITY : now + afterMs
  for (const lease of leases) {
    const { transaction, isQuiet, answeredAt } = lease.connection.ledger
    if (transaction === 'idle') lease.isIdleInTransaction = false
    if (transaction === 'idle' || !isQuiet || answeredAt === undefined || lease.isIdleInTransaction) continue
    const dueAt = answeredAt + afterMs
    if (dueAt > now) {
      nextAt = Math.min(nextAt, dueAt)
      continue
    }
    lease.isIdleInTransaction = true
    found.push(lease)
  }
  return { found, nextAt }
}
