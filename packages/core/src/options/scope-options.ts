import type { Clock } from '../ports/clock.js'
import type { PoolMode } from '../ports/driver.js'
import type { Settings } from '../ports/settings.js'
import type { Priority } from './pool-options.js'

/** What a unit of work says about itself when its scope is opened. */
export interface ScopeOptions {
  /**
   * What it is, for errors, reports and snapshots: `GET /orders/:id`, a job's name. Without values of the request. A
   * function, where that is known only later, is asked whenever the name is needed; it must be quick, and what it throws is
   * lost.
   */
  readonly label: string | (() => string)
  /** When it aborts, so does the scope's signal: its waiting callers are sent away and nothing more is granted. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds from now after which the scope's signal aborts and nothing more is granted. Default: no limit. */
  readonly deadlineMs?: number | undefined
  /** Rank of its acquires among the waiters. Default: the enclosing scope's, else `normal`. */
  readonly priority?: Priority | undefined
  /** How its statements run. Default: the enclosing scope's, else the pool's `mode`. */
  readonly mode?: PoolMode | undefined
  /**
   * Whether statements that run are cancelled on the server when the signal aborts, the deadline passes, or the scope is
   * closed with a reason, as bindings do when a client disconnects. Default: the enclosing scope's, else the pool's.
   */
  readonly cancelOnAbort?: boolean | undefined
  /**
   * Session state that all its leases shall have: `role`, `search_path`, `app.tenant_id`, `statement_timeout`, … It is
   * made with the first statement of each lease, and nobody who does not declare it ever meets it. A function is asked at
   * the first lease, in a scope of its own that declares nothing; what it throws, the lease fails with, and the next
   * lease asks it again. Default: those of the enclosing scope, over which these stand, name by name.
   */
  readonly settings?: Settings | (() => Settings | undefined | Promise<Settings | undefined>) | undefined
  /** The same for single pools, by the pool or its facade, over `settings`. */
  readonly poolSettings?:
    ReadonlyMap<object, Settings | (() => Settings | undefined | Promise<Settings | undefined>)> | undefined
  /** The source of time. Default: the system's monotonic clock. */
  readonly clock?: Clock | undefined
}
