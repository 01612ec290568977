import type { ErrorKind } from '../ports/driver.js'
import { LeaseholdError } from './leasehold-error.js'
import { wordsOf } from './words-of.js'

export interface ConnectFailedFacts {
  readonly pool: string
  readonly driver: string
  /** How long the attempt took, in milliseconds. */
  readonly afterMs: number
  /** The server or the way to it refused, it was given up at `connectTimeoutMs`, or the driver's `watch` threw. */
  readonly how: 'refused' | 'timed out' | 'not watched'
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
    super({
      code: 'LEASEHOLD_CONNECT_FAILED',
      phase: 'connect',
      what: describe(facts),
      remedy: remedyFor(facts),
      pool: facts.pool,
      cause: facts.cause,
      retryAfterMs: 1_000,
    })
    this.name = 'ConnectFailedError'
    this.afterMs = facts.afterMs
    this.timedOut = facts.how === 'timed out'
    this.kind = facts.kind
  }
}

function describe({ pool, driver, how, afterMs, cause }: ConnectFailedFacts): string {
  const whose = `pool "${pool}" (${driver})`
  if (how === 'timed out')
    return `the server did not answer ${whose} within connectTimeoutMs, ${Math.round(afterMs)} ms`
  const said = wordsOf(cause)
  if (how === 'not watched') return `${whose} opened a connection, and its driver failed to watch it: ${said}`
  return `${whose} could not open a connection: ${said}`
}

function remedyFor(facts: ConnectFailedFacts): string {
  if (facts.how === 'not watched') return 'This is a bug of the driver, not of the server: tell who wrote it'
  if (facts.kind === 'denied') return 'Check user, password and database name: trying again will not help'
  if (facts.kind === 'saturated')
    return "The server's connection limit is reached: lower max over all instances, or raise the limit"
  return 'Check host, port and that the server is up and reachable'
}
