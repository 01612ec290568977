import type { Priority } from './pool-options.js'

/** When the queue of a pool is too slow, and callers are shed. */
export interface QueueDelayOptions {
  /**
   * The delay that the queue may have for as long as it likes. While the least delay of an interval lies above, and more
   * callers come than are served, who has waited for twice as long is refused. Default: a twentieth of each caller's own
   * patience, so 250 ms for one that waits for 5 s.
   */
  readonly targetMs?: number | undefined
  /** How long the queue must have stood before anybody is refused. Default 100. */
  readonly intervalMs?: number | undefined
}

/** How many callers may wait, by their priority. */
export type WaitingByPriority = { readonly [Name in Priority]?: number | undefined }

/** When a pool counts as nearly used up. */
export interface UtilizationOptions {
  /** The share of `max` above which it does. Default 0.8. */
  readonly above?: number | undefined
  /** How long more than that must be lent before it is told, and how long less before its end is. Default 1,000. */
  readonly forMs?: number | undefined
}
