/** What the leak watch looks at. */
export interface WatchedLease {
  readonly since: number
  readonly terms: { readonly isLong: boolean }
  /** Whether it has been reported already. */
  readonly overdue: boolean
}

/** Which leases are held for longer than `leakAfterMs` and not yet reported, and when the next will be. */
export function nextOverdue<L extends WatchedLease>(
  leases: readonly L[],
  now: number,
  leakAfterMs: number,
): { readonly overdue: readonly L[]; readonly nextAt: number } {
  const overdue: L[] = []
  let nextAt = Number.POSITIVE_INFINITY
  for (const lease of leases) {
    if (lease.terms.isLong || lease.overdue) continue
    const dueAt = lease.since + leakAfterMs
    if (dueAt <= now) overdue.push(lease)
    else nextAt = Math.min(nextAt, dueAt)
  }
  return { overdue, nextAt }
}
