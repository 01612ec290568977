import type { Driver, PinKind } from '@leasehold/core'

/** What a driver's tests must be able to say and see. */
export interface DriverContractHarness<Client> {
  readonly driver: Driver<Client>
  /** The same driver, before a server that refuses every connection: a port that nobody listens on. */
  readonly refused: Driver<Client>
  /** The same driver, before a server that takes the connection and never answers. */
  readonly silent: Driver<Client>
  /** The same driver, before a server that only reads, as the standby that a failover left in place of its primary. */
  readonly readOnly: Driver<Client>
  readonly statements: {
    /** Is answered at once. */
    readonly ok: string
    /** Is refused by the server. */
    readonly failing: string
    readonly begin: string
    readonly rollback: string
    /** Runs for at least ten seconds if nobody ends it. */
    readonly endless: string
    /** Begins or ends a transaction, succeeds, and takes some time for it: time enough to be interrupted. */
    readonly slowControl: string
    /** Writes a row, which `rows` tells once it is committed. */
    write(row: string): string
    /** A statement with literals in it, and the literals. */
    readonly withLiterals: { readonly text: string; readonly literals: readonly string[] }
    /** Leaves something on its session, and what that is. */
    readonly leaving: { readonly text: string; readonly kind: PinKind; readonly name: string }
  }
  /** A setting that owners can declare, and one that the server refuses. */
  readonly settings: {
    readonly taken: readonly [name: string, value: string]
    readonly refused: readonly [name: string, value: string]
    /** Declared by an owner who wants to read only, where the driver knows of such a one. */
    readonly readOnly?: readonly [name: string, value: string]
    /** What `taken` is for a statement of this client: sends one. */
    read(client: Client): Promise<string | undefined>
  }
  query(client: Client, statement: string): Promise<unknown>
  /** Ends the session from the server's side. */
  kill(client: Client): Promise<void> | void
  /** Ends the session as a server does that goes away for all of them. */
  shutDown(client: Client): Promise<void> | void
  /** The rows that were written and committed, by whichever session. */
  rows(): Promise<readonly string[]> | readonly string[]
  /** How many connections, half-open ones included, the other side has of all four drivers. */
  sockets(): Promise<number> | number
  /** Takes down what `make` put up. */
  stop?(): Promise<void> | void
}
