import type { Site } from '../ports/owner.js'
import type { Settings } from '../ports/settings.js'
import type { Priority } from './pool-options.js'

/** What a caller may say when it asks for a connection. */
export interface AcquireRequest {
  /** How long to wait, in place of the pool's `acquireTimeoutMs`. 0 takes only what is free at once. */
  readonly timeoutMs?: number | undefined
  /** Gives up waiting when it aborts. A lease that was granted already is not touched. */
  readonly signal?: AbortSignal | undefined
  /** Rank among the waiters. Default: the scope's, or `normal`. */
  readonly priority?: Priority | undefined
  /**
   * Session state that the lease shall have, over what its scope declares, name by name: see `ScopeOptions.settings`. In
   * a scope of mode `session` the leases share one session: there, declare it on the scope.
   */
  readonly settings?: Settings | undefined
  /** The same, under what its scope declares: for adapters, whose own wishes the scope's stand over (Knex's `searchPath`). */
  readonly defaultSettings?: Settings | undefined
  /** Who asks, for errors, reports and snapshots. Default: the scope's label. */
  readonly label?: string | undefined
  /**
   * The lease is for one statement that stands by itself. If that leaves something on the session (a setting, a temporary
   * table), in a scope of mode `transaction` the session stays with the scope, and the scope's next leases are on it, until
   * it is undone or the scope ends. Default false: what a lease leaves ends with its release.
   */
  readonly statement?: boolean | undefined
  /** `long` announces a lease that is held on purpose, for LISTEN and the like: it is never reported as overdue. */
  readonly hold?: 'long' | undefined
  /**
   * Where it was really asked for, from `captureSite()`, for adapters whose acquire comes later than their caller's call.
   * Given, also as `undefined`, it stands in place of a capture by `acquire`.
   */
  readonly site?: Site | undefined
}
