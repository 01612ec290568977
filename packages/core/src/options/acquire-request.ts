import type { Site } from '../ports/owner.js'
import type { Priority } from './pool-options.js'

/** What a caller may say when it asks for a connection. */
export interface AcquireRequest {
  /** How long to wait, in place of the pool's `acquireTimeoutMs`. 0 takes only what is free at once. */
  readonly timeoutMs?: number | undefined
  /** Gives up waiting when it aborts. A lease that was granted already is not touched. */
  readonly signal?: AbortSignal | undefined
  /** Rank among the waiters. Default: the scope's, or `normal`. */
  readonly priority?: Priority | undefined
  /** Who asks, for errors, reports and snapshots. Default: the scope's label. */
  readonly label?: string | undefined
  /** `long` announces a lease that is held on purpose, for LISTEN and the like: it is never reported as overdue. */
  readonly hold?: 'long' | undefined
  /**
   * Where it was really asked for, from `captureSite()`, for adapters whose acquire comes later than their caller's call.
   * Given, also as `undefined`, it stands in place of a capture by `acquire`.
   */
  readonly site?: Site | undefined
}
