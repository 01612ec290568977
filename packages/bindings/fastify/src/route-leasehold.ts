import type { PoolMode, Priority } from '@leasehold/core'

/** What one route says about the scopes of its requests, in its `config.leasehold`. */
export interface RouteLeasehold {
  /** True: requests of this route get no scope, and `request.leasehold` throws. Default false. */
  readonly off?: boolean | undefined
  /** The name of its scopes in errors, reports and snapshots. Default: the plugin's `label`. */
  readonly label?: string | undefined
  /** How its statements run. Default: the plugin's `mode`. */
  readonly mode?: PoolMode | undefined
  /** Rank of its acquires among the waiters. Default: the plugin's `priority`. */
  readonly priority?: Priority | undefined
  /** Milliseconds after which its scopes grant nothing more; `Infinity` for no limit. Default: the plugin's `deadlineMs`. */
  readonly deadlineMs?: number | undefined
}
