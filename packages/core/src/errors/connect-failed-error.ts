import type { ErrorKind } from '../ports/driver.js'
import { LeaseholdError } from './leasehold-error.js'

export interface ConnectFailedFacts {
  readonly pool: string
  readonly driver: string
  /** How long the attempt took, in milliseconds. */
  readonly afterMs: number
  /** Whether it was given up at `connectTimeoutMs`. */
  readonly timedOut: boolean
  readonly kind: ErrorKind
  /** The driver's own error. */
  readonly cause: unknown
}

/** A connection could not be opened. The driver's own error is the `cause`. */
export class ConnectFailedError extends LeaseholdError {
  readonly afterMs: number
  readonly timedOut: boolean
  readonly kind: ErrorKind

  constructor(facts: ConnectFailedFacts) {
    const said = facts.cause instanceof Error ? facts.cause.message || facts.cause.name : String(facts.cause)
    super({
      code: 'LEASEHOLD_CONNECT_FAILED',
      phase: 'connect',
      what: facts.timedOut
        ? `the server did not answer pool "${facts.pool}" (${facts.driver}) within connectTimeoutMs, ${Math.round(facts.afterMs)} ms`
        : `pool "${facts.pool}" (${facts.driver}) could not open a connection: ${said}`,
      remedy: remedyFor(facts),
      pool: facts.pool,
      cause: facts.cause,
      retryAfterMs: 1_000,
    })
    this.name = 'ConnectFailedError'
    this.afterMs = facts.afterMs
    this.timedOut = facts.timedOut
    this.kind = facts.kind
  }
}

function remedyFor(facts: ConnectFailedFacts): string {
  if (facts.kind === 'denied') return 'Check user, password and database name: trying again will not help'
  if (facts.kind === 'saturated')
    return "The server's connection limit is reached: lower max over all instances, or raise the limit"
  return 'Check host, port and that the server is up and reachable'
}
