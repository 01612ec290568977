import { LeaseholdError } from './leasehold-error.js'

export interface CircuitOpenFacts {
  readonly pool: string
  /** Why it is open, as part of a sentence: `5 attempts in a row failed`. Undefined when it was opened by hand. */
  readonly why: string | undefined
  /** When opening a connection is tried next, in milliseconds from now. */
  readonly retryAfterMs: number
  /** The last failure. */
  readonly cause: unknown
}

/**
 * Opening connections has failed so often that it is not tried for the moment, and none is there that could be lent. The
 * last failure is the `cause`.
 */
export class CircuitOpenError extends LeaseholdError {
  /** Why the circuit is open; undefined when somebody opened it by hand. */
  readonly why: string | undefined

  constructor(facts: CircuitOpenFacts) {
    const said = facts.cause instanceof Error ? `; last: ${facts.cause.message}` : ''
    super({
      code: 'LEASEHOLD_CIRCUIT_OPEN',
      phase: 'connect',
      what:
        facts.why === undefined
          ? `pool "${facts.pool}" opens no connections: its circuit is held open by hand`
          : `pool "${facts.pool}" opens no connections for the moment: ${facts.why}${said}`,
      remedy:
        facts.why === undefined
          ? "Call forceBreaker('automatic') to let it open connections again"
          : 'Answer 503 or serve what you have cached, and look at the last failure: the pool finds out by itself when the server is back',
      pool: facts.pool,
      cause: facts.cause,
      retryAfterMs: Math.max(1, Math.ceil(facts.retryAfterMs)),
    })
    this.name = 'CircuitOpenError'
    this.why = facts.why
  }
}
