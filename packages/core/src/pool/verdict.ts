import type { CloseReason } from '../events/pool-events.js'

/** Whether a connection can go to its next owner, or why it cannot. */
export type Verdict =
  { readonly fit: true } | { readonly fit: false; readonly reason: CloseReason; readonly error: unknown }
