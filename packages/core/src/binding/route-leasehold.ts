import type { Priority } from '../options/pool-options.js'
import type { PoolMode } from '../ports/driver.js'

/** What one route says about the scopes of its requests, in the way of its framework. */
export interface RouteLeasehold {
  /** True: requests of this route get no scope, and `request.leasehold` throws. Default false. */
  readonly off?: boolean | undefined
  /** The name of its scopes in errors, reports and snapshots. Default: the service's `label`. */
  readonly label?: string | undefined
  /** How its statements run. Default: the service's `mode`. */
  readonly mode?: PoolMode | undefined
  /** Rank of its acquires among the waiters. Default: the service's `priority`. */
  readonly priority?: Priority | undefined
  /** Whether what runs for it is cancelled when its client disconnects or its deadline passes. Default: the service's. */
  readonly cancelOnAbort?: boolean | undefined
  /** Milliseconds after which its scopes grant nothing more; `Infinity` for no limit. Default: the service's `deadlineMs`. */
  readonly deadlineMs?: number | undefined
}
