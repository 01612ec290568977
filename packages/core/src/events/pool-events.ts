import type { Holder } from '../errors/holder.js'
import type { LeaseholdError } from '../errors/leasehold-error.js'
import type { Pin, PinKind } from './pin.js'

/** Why a connection was closed. */
export type CloseReason =
  | 'idle'
  | 'max-lifetime'
  | 'max-uses'
  | 'surplus'
  | 'generation'
  | 'discarded'
  | 'lost'
  | 'check-failed'
  | 'reset-failed'
  | 'pool-closed'

/** What had been left on a session when it was given back. */
export type Leftover = 'open transaction' | 'failed transaction' | 'running statement' | 'session state'

export interface OfPool {
  /** The pool's name. */
  readonly pool: string
  /** Tells pools of one process apart that share a name. */
  readonly poolId: number
}

export interface AcquireEvent extends OfPool {
  readonly label: string
  /** Where it was asked for, if that was captured. */
  readonly site: string | undefined
  /** Whether it shares the connection of another lease, of its transaction or its scope, whose `release` is its own. */
  readonly isJoined: boolean
  readonly waitedMs: number
  readonly connection: number
}

export interface ReleaseEvent extends OfPool {
  readonly label: string
  readonly connection: number
  readonly heldMs: number
  /** How much of `heldMs` the database was working. */
  readonly busyMs: number
}

export interface OpenEvent extends OfPool {
  readonly connection: number
  readonly afterMs: number
}

export interface OpenFailedEvent extends OfPool {
  readonly error: LeaseholdError
}

/** Whether connections may be opened: see the `breaker` option. The forced ones are made by `forceBreaker`. */
export type BreakerStateName = 'closed' | 'open' | 'half-open' | 'forced-open' | 'forced-closed'

export interface BreakerEvent extends OfPool {
  readonly from: BreakerStateName
  readonly to: BreakerStateName
  /** Why the circuit is open: `5 attempts in a row failed`. */
  readonly why: string | undefined
  /** When a connection is tried next, in milliseconds from now. */
  readonly retryAfterMs: number | undefined
  /** False in a pool that only reports: nobody is refused. */
  readonly enforced: boolean
  /** The last failure, where one led to this. */
  readonly error: unknown
}

export interface FailoverEvent extends OfPool {
  /** What the server did: it shuts down, or takes no writes any more. */
  readonly why: 'shutdown' | 'read-only'
  /** That of the connections which are opened from now on. */
  readonly generation: number
}

export interface CloseEvent extends OfPool {
  readonly connection: number
  readonly reason: CloseReason
  readonly uses: number
  /** What broke it, where something did. */
  readonly error: unknown
}

export interface ResetEvent extends OfPool {
  readonly connection: number
  readonly left: Leftover
  /** The last owner, who left it. */
  readonly label: string
  readonly site: string | undefined
  readonly statement: string | undefined
  /** What had tied the session to its last owner. */
  readonly pins: readonly Pin[]
  /** Set when it could not be cleaned and the connection was closed. */
  readonly error: LeaseholdError | undefined
}

/**
 * `overdue`: held for longer than `leakAfterMs`. `left-over`: still held when its scope closed. `forgotten`: the garbage
 * collector has taken all that its holder was given. `idle-in-transaction`: an open transaction without a statement for
 * `idleInTransactionMs`.
 */
export type LeakKind = 'overdue' | 'left-over' | 'forgotten' | 'idle-in-transaction'

export interface LeakEvent extends OfPool {
  readonly kind: LeakKind
  /** Whether the connection is being taken back; otherwise it is only reported. */
  readonly reclaimed: boolean
  readonly label: string
  readonly site: string | undefined
  readonly connection: number
  readonly heldMs: number
  readonly busyMs: number
  /** The last statement, without its literals. */
  readonly statement: string | undefined
}

export interface LateAcquireEvent extends OfPool {
  readonly label: string
  readonly site: string | undefined
}

export interface TransactionEscapeEvent extends OfPool {
  readonly label: string
  /** Where the pool was asked for a connection of its own. */
  readonly site: string | undefined
  /** Where the transaction was opened. */
  readonly transaction: string | undefined
}

export interface TimeoutEvent extends OfPool {
  readonly label: string
  readonly error: LeaseholdError
}

export interface ShedEvent extends OfPool {
  readonly label: string
  readonly error: LeaseholdError
}

export interface UtilizationEvent extends OfPool {
  /** `high` when more than the share has been lent for a while, `normal` when that is over. */
  readonly level: 'high' | 'normal'
  readonly lent: number
  readonly max: number
  readonly waiting: number
  /** With `normal`: how long it was high. */
  readonly lastedMs: number | undefined
  /** Who holds connections, the longest first; three at most. */
  readonly holders: readonly Holder[]
}

export interface PinEvent extends OfPool, Pin {
  /** The owner. */
  readonly label: string
  readonly connection: number
}

export interface LedgerDiffersEvent extends OfPool {
  readonly connection: number
  /** The last owner. */
  readonly label: string
  readonly site: string | undefined
  /** What the session carried and the ledger did not know. */
  readonly missing: ReadonlyArray<{ readonly kind: PinKind; readonly name: string }>
  /** The owner's last statements, without their literals, oldest first. */
  readonly statements: readonly string[]
}

/** What an observing pool would have done. */
export interface ObserveEvent extends OfPool {
  readonly would: 'refuse' | 'reset' | 'reclaim' | 'interrupt'
  readonly why: string
  readonly label: string
}

/** What a pool tells; the names are those of `pool.on`. */
export interface PoolEvents {
  /** A lease was granted. */
  readonly acquire: AcquireEvent
  /** A lease ended. */
  readonly release: ReleaseEvent
  /** A connection was opened. */
  readonly open: OpenEvent
  /** A connection could not be opened. */
  readonly 'open-failed': OpenFailedEvent
  /** The circuit breaker went from one state to another. */
  readonly breaker: BreakerEvent
  /** Every connection is replaced, because the server behind them is not what it was. */
  readonly failover: FailoverEvent
  /** A connection was closed. */
  readonly close: CloseEvent
  /** Something left on a session was cleaned away between two owners. */
  readonly reset: ResetEvent
  /** A statement tied a session to its owner. */
  readonly pin: PinEvent
  /** What ties a session to its owner has lasted longer than `pinWarnMs`. Once for each pin. */
  readonly 'pin-overdue': PinEvent
  /** Verification found something on a session that no statement was known to have left; everything was reset. */
  readonly 'ledger-differs': LedgerDiffersEvent
  /** A lease is overdue, was left over when its scope closed, was forgotten, or is idle in a transaction. */
  readonly leak: LeakEvent
  /** A lease that had been reported as overdue came back after all. */
  readonly 'leak-returned': LeakEvent
  /** A query was issued after its scope had closed. Once per call site. */
  readonly 'late-acquire': LateAcquireEvent
  /** Something ran outside of an ORM's own transaction, in whose callback it was issued. Once for each pair of sites. */
  readonly 'transaction-escape': TransactionEscapeEvent
  /** A caller's deadline passed while it waited. */
  readonly timeout: TimeoutEvent
  /** A caller was sent away because it was late in a queue that stood: see `queueDelay`. */
  readonly shed: ShedEvent
  /** More than a share of `max` has been lent for a while, or that has ended: see the option of this name. */
  readonly utilization: UtilizationEvent
  /** What an observing pool would have done. */
  readonly observe: ObserveEvent
}

export type PoolEventName = keyof PoolEvents
