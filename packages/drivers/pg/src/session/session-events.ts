import type * as pg from 'pg'

/** What a facade wants to know of the connections below it. */
export interface SessionEvents {
  /** A connection is about to be opened. */
  opening(client: pg.Client): void
  /** It is being closed, or could not be opened: it counts no more. */
  closing(client: pg.Client): void
  /** Its socket is closed, after it had been open. `last` is its last handle. */
  closed(last: pg.Client): void
  /** It was lost while nobody held it. */
  lostIdle(error: Error, last: pg.Client): void
  /** It is lent for the first time, as `handle`. */
  introduced(handle: pg.Client): void
  /** Its holder gives it back, with what it says about it. */
  released(said: unknown, handle: pg.Client): void
}
