/** Where a statement runs, as the server tells it. */
export interface Place {
  /** The process id of the session's backend. */
  readonly pid: number
  /** What `txid_current()` says. */
  readonly transaction: string
}

/** One way to the database, which knows nothing of the others. */
export interface Way {
  readonly name: string
  /** Writes an order, in a transaction of its own making. */
  order(accountId: number, item: string): Promise<void>
  /** Asks the server, on its root object, with a lone statement. */
  place(): Promise<Place>
}
