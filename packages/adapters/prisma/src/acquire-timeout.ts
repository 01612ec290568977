import type { AdapterState } from './adapter-state.js'

/** How long Prisma waits for a transaction unless it is told otherwise. */
const DEFAULT_MAX_WAIT_MS = 2_000
const LEAST_MARGIN_MS = 10
const MOST_MARGIN_MS = 100

/**
 * How long a transaction may wait for its connection: as long as the pool says, but less than Prisma's `maxWait`. When
 * that is over first, Prisma answers with a bare P2028, and the caller that nobody waits for any more stays in the
 * queue, to run BEGIN and ROLLBACK when its turn comes.
 */
export function acquireTimeout({ pool, calls, isLeased }: AdapterState): number {
  const { acquireTimeoutMs } = pool.leases.options
  // A client that is not leased cannot tell, so that the default is the best guess. A leased one tells, unless there is
  // none: Prisma opens the transactions of nested writes without.
  const maxWait = calls.getStore()?.maxWait ?? (isLeased ? Number.POSITIVE_INFINITY : DEFAULT_MAX_WAIT_MS)
  return Math.min(acquireTimeoutMs, below(maxWait))
}

function below(maxWait: number): number {
  if (maxWait === Number.POSITIVE_INFINITY) return maxWait
  const margin = Math.min(MOST_MARGIN_MS, Math.max(LEAST_MARGIN_MS, maxWait / 10))
  return Math.max(0, Math.floor(maxWait - margin))
}
