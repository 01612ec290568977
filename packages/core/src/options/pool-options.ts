import type { Clock } from '../ports/clock.js'
import type { QueueDelayOptions, UtilizationOptions, WaitingByPriority } from './overload-options.js'
import type { ErrorKind, PoolMode } from '../ports/driver.js'
import type { AllGiven } from './all-given.js'
import type { BackoffOptions, BreakerOptions, ResolvedBackoffOptions, ResolvedBreakerOptions } from './guard-options.js'
import type { LeakActions } from './leak-actions.js'

/** How waiters of one pool are ranked against each other. */
export type Priority = 'high' | 'normal' | 'low'

/**
 * The options of a pool. All are optional. Durations are milliseconds; `Infinity` means "never" or "no limit" wherever
 * a number stands for one.
 */
export interface PoolOptions<Client = unknown> {
  /** The pool's name in errors, events and snapshots. Default: `driver.name` and a running number. */
  readonly name?: string | undefined
  /** Connections kept ready even when nobody needs them. Default 0. */
  readonly min?: number | undefined
  /** Connections held open at most, `overflow` aside. Default 10. */
  readonly max?: number | undefined
  /** Connections opened beyond `max` when all are lent, and closed as soon as nobody waits. Default 0. */
  readonly overflow?: number | undefined
  /** Connections being opened at the same time, at most. Default 2: a burst must not become a storm of dials. */
  readonly maxConnecting?: number | undefined
  /** How long a caller waits for a connection. Default 5,000; `Infinity` waits for ever, 0 takes only what is free at once. */
  readonly acquireTimeoutMs?: number | undefined
  /**
   * Callers waiting at the same time, at most; one more is refused at once. A caller for whom a connection is being
   * opened, or could be, does not count. Default `Infinity`.
   */
  readonly maxWaiting?: number | undefined
  /** The same for callers of one priority, beside `maxWaiting`: `{ low: 20 }`. Default no limits. */
  readonly maxWaitingByPriority?: WaitingByPriority | undefined
  /**
   * Connections that one scope may have at a time, so that one request cannot take them all; what it asks for beyond waits
   * for its own leases and stands in nobody's way. Default `Infinity`.
   */
  readonly maxPerScope?: number | undefined
  /**
   * Sheds callers with `LEASEHOLD_OVERLOADED` when the queue stands: long before their patience ends, so that those who are
   * served are served in time. A burst is none of it. Default `{}`, which means that nobody waits for much longer than a
   * tenth of its patience; `false` lets everybody wait to the end of it.
   */
  readonly queueDelay?: QueueDelayOptions | false | undefined
  /** Tells, by the event `utilization`, that nearly all connections are lent for a while, and by whom. Default `{}`. */
  readonly utilization?: UtilizationOptions | false | undefined
  /** How long opening one connection may take. Default 5,000. */
  readonly connectTimeoutMs?: number | undefined
  /**
   * When the circuit opens: connections are then not opened for callers any more, who are refused at once with
   * `LEASEHOLD_CIRCUIT_OPEN` unless one is alive that may come back to them; one is tried in the background until the
   * database is back. Default: after 5 failures in a row, or when half of at least 10 attempts within 30 s failed. `false`
   * goes without.
   */
  readonly breaker?: BreakerOptions | false | undefined
  /**
   * How long nothing is opened after an attempt has failed, and then one at a time. Default: 100 ms up to 2 s, at random.
   * `false` goes without, and without all else that spares a database in trouble but the breaker.
   */
  readonly backoff?: BackoffOptions | false | undefined
  /**
   * What an error means, where you know better than the driver: undefined leaves it to the driver. `transient` and `fatal`
   * count against the database, `denied` refuses without another attempt, `saturated` makes do with fewer connections,
   * `read-only` has all connections replaced, `query` is the statement's own affair. Default: as the driver says.
   */
  readonly classify?: ((error: unknown, byDriver: ErrorKind) => ErrorKind | undefined) | undefined
  /** How long a connection may lie idle, above `min`, before it is closed. Default 10,000; 0 closes at release. */
  readonly idleTimeoutMs?: number | undefined
  /** Which idle connection is lent next: the one used last, or the one idle longest. Default `lifo`. */
  readonly idleOrder?: 'lifo' | 'fifo' | undefined
  /** Age at which a connection is closed when nobody holds it. Default 30 minutes, shortened by up to a tenth at random. */
  readonly maxLifetimeMs?: number | undefined
  /** Leases after which a connection is closed. Default `Infinity`. */
  readonly maxUses?: number | undefined
  /** A connection idle for longer than this is checked before it is lent. Default 1,000; 0 checks always. */
  readonly checkAfterIdleMs?: number | undefined
  /** How long a check may take before the connection counts as dead. Default 1,000. */
  readonly checkTimeoutMs?: number | undefined
  /** A check of your own, in place of the driver's; it rejects when the connection must not be lent. */
  readonly check?: ((client: Client, signal: AbortSignal) => Promise<void>) | undefined
  /** Idle connections are checked in the background this often, one at a time, jittered. Default `Infinity`. */
  readonly keepaliveMs?: number | undefined
  /**
   * `lazy` opens the first connection when it is needed; `eager` opens `min`, and at least one, at once and in the
   * background; `required` does that and makes `ready()` reject if the first attempt fails. Default `lazy`.
   */
  readonly warmUp?: 'lazy' | 'eager' | 'required' | undefined
  /** How statements of a scope run: on one connection (`session`) or on any (`transaction`). Default `transaction`. */
  readonly mode?: PoolMode | undefined
  /**
   * How long cleaning a connection between two owners may take before it is closed instead; and how long the server may take
   * to heed a cancel, or to roll back for an owner whose time is up. Default 5,000.
   */
  readonly resetTimeoutMs?: number | undefined
  /** How long a farewell may take before the socket is destroyed. Default 1,000. */
  readonly closeTimeoutMs?: number | undefined
  /**
   * How long statements of a closed scope may finish before they are cancelled on the server, and how long the server may take
   * to begin and roll back transactions that have no deadline. Default 5,000.
   */
  readonly closeGraceMs?: number | undefined
  /**
   * How long a statement may run, before it is cancelled on the server and fails with `LEASEHOLD_ABORTED`. It needs a driver
   * that can interrupt. Default `Infinity`.
   */
  readonly queryTimeoutMs?: number | undefined
  /**
   * Whether statements that run for a scope are cancelled at once when its signal aborts, its client disconnects or its
   * deadline passes. With false they may end by themselves, for `closeGraceMs` once the scope has closed. Default true.
   */
  readonly cancelOnAbort?: boolean | undefined
  /**
   * What becomes of leaks: reported, reclaimed or not looked for, kind by kind; `'off'` for none of them. By default what
   * was left over by its scope and what was forgotten are reclaimed, and the others are reported.
   */
  readonly leaks?: 'off' | LeakActions | undefined
  /** A lease held longer than this is overdue; one with `hold: 'long'` never is. Default 30,000. */
  readonly leakAfterMs?: number | undefined
  /** An open transaction without a statement for this long is a leak. Default 30,000. */
  readonly idleInTransactionMs?: number | undefined
  /**
   * When every connection, or every one that a scope may have, is held by code that itself waits for one more, and nothing
   * of it has run or finished for this long, the caller that came last fails with `LEASEHOLD_SELF_DEADLOCK`. Default 100;
   * `Infinity` leaves it to their deadlines.
   */
  readonly deadlockGraceMs?: number | undefined
  /** What ties a session to its owner (a setting, a lock, an open transaction) for longer than this is reported once. Default 30,000. */
  readonly pinWarnMs?: number | undefined
  /**
   * The share of connections coming back, from 0 to 1, of which the server is asked what their sessions carry, to be
   * compared with what is known of them. A difference is told (`ledger-differs`) and everything is reset. A check costs
   * about a millisecond of the database's time, and nobody waits for it but the connection. Default 0.
   */
  readonly verifySessions?: number | undefined
  /** What happens to a query whose scope has closed: a lease without a scope, or `LEASEHOLD_SCOPE_CLOSED`. Default `detach`. */
  readonly lateAcquire?: 'detach' | 'refuse' | undefined
  /**
   * Which leases know where they were asked for: one in 128 and every one of a label that has leaked before
   * (`adaptive`), all, or none. Capturing costs a few microseconds. Default `adaptive`.
   */
  readonly captureSites?: 'adaptive' | 'always' | 'off' | undefined
  /**
   * Settings without which nothing is lent: who has not declared them (see `ScopeOptions.settings`) is refused with
   * `LEASEHOLD_SETTING_REQUIRED`; a pool that observes says so, and lends. Default none.
   */
  readonly requireSettings?: readonly string[] | undefined
  /**
   * What joins a transaction of `pool.transaction`: everything that asks for a connection inside it (`declared`), or only
   * the client that its callback is given (`off`). With `all`, the callbacks of an ORM's own transactions are such
   * transactions as well: what is forgotten to be run on the ORM's transaction object is still part of it. Default `declared`:
   * there, it runs outside, and is reported (`transaction-escape`).
   */
  readonly joinTransactions?: 'declared' | 'all' | 'off' | undefined
  /** Refuses, joins, resets and reclaims nothing, and reports what it would have refused, reset and reclaimed. Default false. */
  readonly observe?: boolean | undefined
  /** Whether idle connections let the process exit. Default false. */
  readonly allowExitOnIdle?: boolean | undefined
  /** The source of time. Default: the system's monotonic clock. */
  readonly clock?: Clock | undefined
}

/** Pool options after checking: every one has its value. */
export interface ResolvedPoolOptions<Client = unknown>
  extends
    AllGiven<Omit<PoolOptions<Client>, 'check' | 'clock' | 'breaker' | 'backoff' | 'classify' | 'leaks'>>,
    Pick<PoolOptions<Client>, 'check' | 'classify'> {
  readonly clock: Clock
  readonly breaker: ResolvedBreakerOptions | false
  readonly backoff: ResolvedBackoffOptions | false
  readonly leaks: AllGiven<LeakActions>
}
