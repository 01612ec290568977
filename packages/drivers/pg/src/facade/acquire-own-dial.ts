import { ConnectFailedError, type Lease, type Pool } from '@leasehold/core'
import type * as pg from 'pg'

/** Clocks are asked one after the other. */
const SLACK_MS = 5

/**
 * Acquires, for a caller who is not answered with another's failure: when a dial times out that began before the caller
 * came (for one who has gone meanwhile), the caller waits on, within the same deadline, for a dial of its own.
 */
export async function acquireOwnDial(leases: Pool<pg.Client>): Promise<Lease<pg.Client>> {
  const { acquireTimeoutMs, clock } = leases.options
  const since = clock.now()
  try {
    return await leases.acquire()
  } catch (error) {
    const waitedMs = clock.now() - since
    const isForeign = error instanceof ConnectFailedError && error.timedOut && error.afterMs > waitedMs + SLACK_MS
    if (!isForeign || waitedMs >= acquireTimeoutMs) throw error
    return leases.acquire({ timeoutMs: acquireTimeoutMs - waitedMs })
  }
}
