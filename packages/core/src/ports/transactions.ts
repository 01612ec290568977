import type { Owner } from './owner.js'

/** How far a transaction is kept apart from others, in SQL's words. */
export type Isolation = 'read uncommitted' | 'read committed' | 'repeatable read' | 'serializable'

/** How a transaction runs. Undefined: as the server has it. */
export interface TransactionModes {
  readonly isolation: Isolation | undefined
  readonly readOnly: boolean | undefined
  /** For serializable, read-only transactions: waits until it can run without ever being a conflict. */
  readonly deferrable: boolean | undefined
}

/** What a driver says to its server for the transactions of a pool: core has no SQL. Each sends before it returns, in the order of the calls. */
export interface DriverTransactions<Client> {
  /** Returns nothing where there is nothing to wait for: the server learns of it with the first statement, or runs neither. */
  begin(client: Client, modes: TransactionModes): Promise<void> | undefined
  /** Ends the transaction, and tells what became of it: a server rolls back one in which a statement has failed. */
  commit(client: Client): Promise<'committed' | 'rolled back'>
  rollback(client: Client): Promise<void>
  savepoint(client: Client, name: string): Promise<void>
  /** Undoes all since the savepoint, and ends it. */
  rollbackTo(client: Client, name: string): Promise<void>
  /** Ends the savepoint. What was set inside it for the transaction only counts no more: it is as it was before. */
  release(client: Client, name: string): Promise<void>
  /** How the transaction that is open runs. */
  modes(client: Client): Promise<TransactionModes>
  /** Whether the transaction that was begun last met another one, so that the same work may succeed if it runs again. */
  mayRetry(client: Client): boolean
}

/** What becomes of the end of an inner transaction. */
export type InnerEnd =
  /** `name` is to be released. */
  | { readonly is: 'release'; readonly name: string }
  /** Another one lies on top, and goes on: this one's savepoint has to stay. Its work counts as done. */
  | { readonly is: 'left'; readonly name: string }
  /** There was none: nothing is to be sent, as nothing would come of it without a transaction around. */
  | { readonly is: 'none' }

/** What becomes of the rollback of an inner transaction. */
export type InnerRollback =
  /** All since the savepoint is to be undone; and it is to be released, unless it `stays`. */
  | { readonly is: 'undo'; readonly name: string; readonly stays: boolean }
  /** It has been undone already, or there was none. */
  | { readonly is: 'none' }

/** A cursor, stream or copy that is open on a session: what comes next there waits until it has been read to its end. */
export interface StreamOnSession {
  readonly holder: Pick<Owner, 'label' | 'site'>
  /** Without its literals. */
  readonly statement: string | undefined
  /** How much has come of it: as long as that grows, somebody reads it. */
  readonly moves: number
}

/**
 * A lease that has joined a transaction which was declared around it. A handle turns the transactions of its holder into
 * savepoints of that one, and asks here for their names. What is booked here must be sent in the same order.
 */
export interface JoinedTransaction {
  /** Whose it is. */
  readonly holder: Pick<Owner, 'label' | 'site'>
  /** Whether the holder knows of the transaction: it is the client that was given to its callback. */
  readonly isWhole: boolean
  /** Whether it is rolled back in any case, as a test: it runs as it does, whatever its parts ask for. */
  readonly isRehearsal: boolean
  /**
   * Set when the holder's next statement would be a transaction by itself, if it were not for a test around it: it must be
   * sent by way of this, so that its failure is its own.
   */
  readonly apart: (<R>(send: () => PromiseLike<R>) => Promise<Awaited<R>>) | undefined
  /** Whether the holder has begun a transaction of its own inside it. */
  readonly hasInner: boolean
  /** The savepoint in which its next statement lies; undefined: in none. */
  readonly savepoint: string | undefined
  /**
   * Whether the holder's next statement may be sent now. If not, it waits for its turn: `start` is then called in the context
   * of this call, or `refuse`. What ends a transaction or undoes it never waits, and does not ask.
   */
  takeTurn(start: () => void, refuse: (error: Error) => void): boolean
  /**
   * Bounds how long a statement of the holder waits behind others on the session. Nothing ends the wait of one that is awaited
   * between two rows of a stream: `refuse` is called when nobody has read on until the deadline.
   *
   * @param stream what is open on the session at that time, if that is a stream.
   * @returns what takes it back, to be called when the statement waits no more.
   */
  boundWait(stream: () => StreamOnSession | undefined, refuse: (error: Error) => void): () => void
  /** To be called before a statement goes out that does nothing to transactions. */
  works(): void
  /**
   * Opens an inner transaction, or a savepoint that the holder calls `alias`.
   *
   * @returns the name of the savepoint to be made.
   */
  open(alias?: string): string
  /** The savepoint of this name could not be made. */
  forget(name: string): void
  /**
   * Ends an inner transaction, or a savepoint of the holder.
   *
   * @throws {TransactionConflictError} when it was undone by another one, or there is none and it would end the whole.
   */
  close(alias?: string): InnerEnd
  /** Undoes an inner transaction, or all since a savepoint of the holder, which then `stays`. */
  undo(alias?: string): InnerRollback
  /** An inner transaction of this name was to be closed, and had failed: what is to be done instead. */
  failed(name: string): InnerRollback
  /** The error of a text that cannot be sent inside the transaction. */
  conflict(what: string, remedy: string): Error
}
