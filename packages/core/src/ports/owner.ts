/** Where something was asked for. */
export interface Site {
  /** `at createOrder (/srv/orders.ts:12:5)`: the innermost frame of the caller's own code, if there is one. */
  readonly place: string | undefined
}

/** Who holds a connection, as far as the pool needs to know: enough to say so in an error, a report or a snapshot. */
export interface Owner {
  /** The unit of work: `GET /orders/:id`, a job's name. */
  readonly label: string
  /** Where the lease was asked for, when that was captured: the first line of the caller's own code. */
  readonly site: string | undefined
  /** When the connection was lent, in the clock's milliseconds. */
  readonly since: number
}
