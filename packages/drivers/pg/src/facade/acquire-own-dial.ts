import { type AcquireRequest, ConnectFailedError, type Lease, type Pool } from '@leasehold/core'
import type * as pg from 'pg'

/** Clocks are asked one after the other. */
const SLACK_MS = 5

/**
 * Acquires, for a caller who is not answered with another's failure: when a dial times out that began before the caller
 * came (for one who has gone meanwhile), the caller waits on, within the same deadline, for a dial of its own.
 *
 * Calls one of the two, in the context of who calls this: callbacks, because a promise more is felt in each query.
 *
 * @param entry the method of the facade that was called: the call site is below it.
 */
export function acquireOwnDial(
  leases: Pool<pg.Client>,
  request: AcquireRequest | undefined,
  serve: (lease: Lease<pg.Client>) => void,
  refuse: (error: unknown) => void,
  entry: (...args: never[]) => unknown,
): void {
  const { acquireTimeoutMs, clock } = leases.options
  // Before the dial of its own begins, or that would seem to be another's.
  const since = clock.now()
  const served = (lease: Lease<pg.Client>): void => {
    try {
      serve(lease)
    } catch (error) {
      lease.discard(error)
      refuse(error)
    }
  }
  const refused = (error: unknown): void => {
    const waitedMs = clock.now() - since
    const isForeign = error instanceof ConnectFailedError && error.timedOut && error.afterMs > waitedMs + SLACK_MS
    if (!isForeign || waitedMs >= acquireTimeoutMs) refuse(error)
    else leases.acquireThen({ ...request, timeoutMs: acquireTimeoutMs - waitedMs }, served, refuse)
  }
  leases.acquireThen(request, served, refused, entry)
}
