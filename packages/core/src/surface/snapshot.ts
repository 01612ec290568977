import type { Holder } from '../errors/holder.js'
import type { PinKind } from '../events/pin.js'
import type { LeakSite } from '../lease/leak-sites.js'
import type { BreakerStateName, CloseReason, LeakKind, Leftover } from '../events/pool-events.js'

/** Everything that is known of a pool at one moment, as one plain object without secrets and literals. */
export interface PoolSnapshot {
  readonly name: string
  readonly driver: string
  readonly state: 'open' | 'paused' | 'closing' | 'closed'
  readonly min: number
  readonly max: number
  readonly overflow: number
  /** How many connections there may be at this moment: max + overflow, or fewer while the server says that it is full. */
  readonly effectiveMax: number
  /** Counts up with every `reconnect()`. */
  readonly generation: number
  readonly connections: {
    readonly total: number
    readonly idle: number
    readonly lent: number
    readonly opening: number
    readonly checking: number
    readonly recycling: number
    readonly closing: number
    /** The most that `total` has ever been. */
    readonly peak: number
  }
  /** Whether connections are opened, and what is known of opening them. */
  readonly breaker: {
    readonly state: BreakerStateName
    /** Failures since one was last opened. */
    readonly failures: number
    /** When one is tried next, in milliseconds from now, while the circuit is open. */
    readonly retryAfterMs: number | undefined
    /** What opened the circuit, or kept it open, while it is not closed. */
    readonly lastError: { readonly message: string; readonly code: string | undefined } | undefined
  }
  readonly waiting: {
    readonly count: number
    /** How long the one that waits longest has waited, in milliseconds. */
    readonly oldestMs: number
    readonly high: number
    readonly normal: number
    readonly low: number
    /** Callers beside these who wait for their own scope to give a connection back: see `maxPerScope`. */
    readonly forScope: number
  }
  /** Who holds connections, the longest first. */
  readonly holders: readonly Holder[]
  /** How much of `max` is lent. */
  readonly utilization: {
    /** From 0 on; above 1 when `overflow` is in use. */
    readonly share: number
    readonly level: 'high' | 'normal'
    /** How long it has been high, in milliseconds. */
    readonly highForMs: number
  }
  /** What has happened since the pool was made. */
  readonly counts: {
    readonly granted: number
    readonly released: number
    readonly timeouts: number
    readonly refused: number
    /** Callers sent away because they were late in a queue that stood: see `queueDelay`. */
    readonly shed: number
    /** Callers refused because the circuit was open. */
    readonly circuitOpen: number
    readonly aborted: number
    readonly opened: number
    readonly openFailed: number
    readonly checked: number
    /** How often verification found something that the ledger did not know. */
    readonly ledgerDiffers: number
    readonly closed: Readonly<Record<CloseReason, number>>
    readonly reset: Readonly<Record<Leftover, number>>
    /** Pins made, by kind. A transaction is one unless it ends in the batch that began it. */
    readonly pins: Readonly<Record<PinKind, number>>
    readonly leaks: Readonly<Record<LeakKind, number>>
    readonly lateAcquires: number
  }
  /** The places in the code that have leaked, those that did most often first; of very many, those that did last. */
  readonly leakSites: readonly LeakSite[]
  /** Milliseconds, over all leases that have ended: how long they were held, and how much of that the database worked. */
  readonly time: { readonly heldMs: number; readonly busyMs: number }
  /** Why opening last failed, unless it has succeeded since. */
  readonly lastConnectFailure: { readonly message: string; readonly code: string } | undefined
}
