/** What users of the fake driver hold: its one session, or the fenced handle of one lease. */
export interface FakeClient {
  /** Which session it is. */
  readonly id: number
  /**
   * Sends a statement. `begin`, `commit` and `rollback` do what they say, `set x` leaves x on the session
   * until `reset x`, `fail` is refused by the server, and `collide` as a deadlock is; `insert x`, `savepoint x`, `release x` and `rollback-to x`
   * do to the driver's `rows` what SQL would, but for an `insert` on a server that only reads; anything else is answered with its own text and the session's number. How long it takes is in the driver's script.
   */
  query(text: string): Promise<string>
  /** Gives the lease back: only a fenced handle can. */
  release?(): void
}
