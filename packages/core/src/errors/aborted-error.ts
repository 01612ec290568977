import { LeaseholdError } from './leasehold-error.js'

export interface AbortedFacts {
  readonly pool: string
  readonly waitedMs: number
  /** The signal's reason. */
  readonly cause: unknown
}

/** The caller's own signal aborted while it waited for a connection. */
export class AbortedError extends LeaseholdError {
  readonly waitedMs: number

  constructor(facts: AbortedFacts) {
    super({
      code: 'LEASEHOLD_ABORTED',
      phase: 'queue',
      what: `waiting for pool "${facts.pool}" was aborted after ${Math.round(facts.waitedMs)} ms`,
      remedy: 'The caller gave up: nothing was borrowed and nothing is owed',
      pool: facts.pool,
      cause: facts.cause,
    })
    this.name = 'AbortedError'
    this.waitedMs = facts.waitedMs
  }
}
