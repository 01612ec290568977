import type { Site } from './owner.js'
import type { EffectOrigin, PinRecord, SessionBooking, SessionFact } from './session-effect.js'
import type { SettingsDifference } from './settings.js'
import type { DriverTransactions, JoinedTransaction } from './transactions.js'

/** What the session's transaction is, as the server last said: none, open, or failed and waiting for its rollback. */
export type TransactionStatus = 'idle' | 'open' | 'failed'

/** What an error means for the connection and for the pool. */
export type ErrorKind = 'query' | 'transient' | 'saturated' | 'read-only' | 'denied' | 'fatal'

/** How statements may run on connections lent inside a scope. PgBouncer's words. */
export type PoolMode = 'session' | 'transaction' | 'statement'

/**
 * What a driver tells about a session while it lives. The driver must call these before any callback of the user sees
 * the same event: a user's callback may release the connection, and what is booked by then decides what happens to it.
 */
export interface SessionObserver {
  /** A statement went out; `statement` is its text where the driver knows it. The session is busy until `quiet`. */
  busy(statement?: string): void
  /**
   * The statement that runs has been answered with an error or is otherwise over, and only the server's "ready" is
   * still on its way. Spares the connection a cancel when it is given back in this short moment.
   */
  settling?(): void
  /**
   * What statements that have ended did to the session, in the server's order. To be told before `quiet`, and only when
   * the server's "ready" has come: until then a failing batch may undo what its parts announced.
   */
  book?(booking: SessionBooking): void
  /**
   * The session carries settings that `declare` was told of: `difference` is what was told. To be told before `quiet`,
   * and only when the server's "ready" has come. A driver that makes settings anew for each statement never tells.
   */
  declared?(difference: SettingsDifference): void
  /**
   * A statement may have done something to the session that cannot be told yet, and most likely has not: `reset` is wanted
   * before the next owner comes, although there is no pin. To be told before `quiet`.
   */
  doubt?(): void
  /** The server has answered a statement with an error. To be told before `quiet`. */
  failed?(error: unknown): void
  /**
   * A transaction is open for its owner of which the server has not been told: it begins with the first statement. Without
   * `origin`: it is over, and the server has never heard of it.
   */
  opened?(origin: EffectOrigin | undefined): void
  /** Every answer that was owed has come, and nothing is unsynced. */
  quiet(transaction: TransactionStatus): void
  /** The session is dead: socket closed, protocol broken, backend gone. May come more than once. */
  lost(error: Error): void
}

/** What is known of a session, for whoever must decide about it. Read-only. */
export interface LedgerView {
  readonly transaction: TransactionStatus
  /** False while a statement runs, a portal is open or a COPY goes on. */
  readonly isQuiet: boolean
  /** Why the session is dead, if it is. */
  readonly lostBy: Error | undefined
  /** How the session differs from what its first owner met. An open or failed transaction is one of the differences. */
  readonly pins: readonly PinRecord[]
  /** What hooks did to the session before its first owner came; every owner meets it. */
  readonly baseline: readonly PinRecord[]
}

/**
 * What a fenced handle asks of the lease that it belongs to. A handle may keep the gate; the gate never keeps the
 * handle, so that a forgotten handle can be collected.
 */
export interface LeaseGate {
  /** False from the moment of release on. */
  readonly open: boolean
  /** Stands for the owner of the session: leases that share it have the same one. */
  readonly owner: object
  /** The mode under which the lease was granted: in `statement` mode a handle refuses explicit transactions. */
  readonly mode: PoolMode
  /** Set when the lease is part of a transaction that was declared around it: then its holder's own are savepoints. */
  readonly joined?: JoinedTransaction | undefined
  /** Whether it was lent for a transaction that an ORM begins by a method: nobody waits for the answer to its BEGIN. */
  readonly opensTransaction?: boolean
  /** Must be called before anything is sent. Throws `LEASEHOLD_LEASE_RELEASED` once the lease is over. */
  pass(operation: string): void
  /**
   * Refuses an explicit transaction in `statement` mode: throws `LEASEHOLD_MODE_VIOLATION`, or only reports it when
   * the pool observes.
   */
  refuseTransaction(): void
  /**
   * Refuses, in `statement` mode, a statement that would leave something on the session: throws
   * `LEASEHOLD_MODE_VIOLATION`, or only reports it when the pool observes.
   *
   * @param pin what it would leave: `setting search_path`.
   */
  refusePin(pin: string): void
  /**
   * Where the caller stands, for a statement that pins; undefined when the pool captures no sites.
   *
   * @param below the function whose callers are wanted.
   */
  siteOf(below: (...args: never[]) => unknown): Site | undefined
  /** Why nothing more may be sent but what rolls back, if that is so: the holder has aborted. */
  readonly refusal?: Error | undefined
  /** Gives the connection back. Harmless when it is already back. */
  release(): void
  /** Gives the connection back to be closed. Harmless when it is already back. */
  discard(reason: unknown): void
  /**
   * `callback` runs once, when the lease ends; at once if it has ended. It must not reference the handle.
   *
   * @returns takes it back, for what may be over long before a lease that is held for long.
   */
  onEnd(callback: () => void): () => void
}

/**
 * How the pool speaks to one kind of database connection. The first six methods make a driver; the others make it a
 * better one. Core knows no SQL: whatever has to be said to a server is said in here.
 *
 * A method that throws where it has no reason to costs its own connection at most: no slot, no other caller, not the process.
 */
export interface Driver<Client> {
  /** For messages: `pg`, `mysql2`. */
  readonly name: string
  /** Opens one connection. When `signal` aborts, it must reject soon and leave no socket behind. */
  connect(signal: AbortSignal): Promise<Client>
  /** The cheapest proof of life; rejects when there is none. */
  check(client: Client, signal?: AbortSignal): Promise<void>
  /** Starts telling `observer` about the session; returns what stops it. */
  watch(client: Client, observer: SessionObserver): () => void
  /** Makes the session as its first owner met it, given what is left on it. Rejects when it cannot. */
  reset(client: Client, ledger: LedgerView, signal?: AbortSignal): Promise<void>
  /**
   * Says farewell and closes. Resolves when the socket is closed, also when the session was dead already. A statement
   * that still runs is cancelled first: a backend does not notice that its client has gone before it has something to say.
   */
  close(client: Client): Promise<void>
  /** What an error of this driver means. */
  classify(error: unknown): ErrorKind

  /**
   * Whether an error says that the server is going away, for all sessions. When several sessions end with one, the pool
   * replaces every connection.
   */
  isShutdown?(error: unknown): boolean
  /**
   * Whether the server takes writes, whatever owners of the session have declared. Asked of a session on which a statement
   * was refused as `read-only`, when it has come back; if it does not, the pool replaces every connection. Without it,
   * such an error is believed.
   */
  takesWrites?(client: Client, signal: AbortSignal): Promise<boolean>

  /** The fenced handle of one lease; without it the bare client is lent, and use after release goes unnoticed. */
  lend?(client: Client, gate: LeaseGate): Client
  /** Ends what still runs, until the session is quiet; rejects when it cannot before `signal` aborts. */
  quiesce?(client: Client, signal: AbortSignal): Promise<void>
  /** Cancels the running statement. Resolves when the cancel request's own socket has closed. */
  cancel?(client: Client): Promise<void>
  /**
   * Fails the statement that runs for `gate`, or whichever runs when none is given, with `error` at once, and cancels it on
   * the server; those of `gate` that wait behind it fail as well. What begins or ends a transaction is let be. The session
   * must not be told as quiet before the cancel can hit nothing any more: whatever comes next must not be hit by it. Where it
   * was in a transaction, that must have failed by then, also if the statement had ended before the cancel came: its caller
   * was told so.
   *
   * @returns whether there was something to cancel: then the session must be quiet within `resetTimeoutMs`, or is destroyed.
   */
  interrupt?(client: Client, gate: LeaseGate | undefined, error: Error): boolean
  /**
   * Asks the server what the session carries, and leaves it as it is: for verifying the ledger.
   *
   * @param names settings to ask for besides those that the server lists by itself.
   */
  truth?(client: Client, names: readonly string[], signal: AbortSignal): Promise<readonly SessionFact[]>
  /** Closes at once, without farewell; the socket is gone when this returns. */
  destroy?(client: Client): void
  /**
   * Settings to go with the next statement of the session's owner, or ahead of it: that statement must not run when they
   * fail, and must not undo them unseen when it fails. Takes the place of what was told before and has not been made; an
   * empty difference leaves nothing to make. Must not throw. Without it, whoever declares settings is refused.
   */
  declare?(client: Client, difference: SettingsDifference): void
  /** Names of settings, in lower case, that nobody can declare with this driver, and why. */
  readonly undeclarable?: ReadonlyMap<string, string>
  /** Transactions of the pool itself; without it, `pool.transaction` is refused. */
  readonly transaction?: DriverTransactions<Client>
  /** Whether the socket keeps the process alive. */
  hold?(client: Client, alive: boolean): void
  /** A statement's text without its literals, for reports; without it, reports hold no statements. */
  redact?(statement: string): string
}
