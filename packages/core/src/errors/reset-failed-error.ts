import { LeaseholdError } from './leasehold-error.js'

export interface ResetFailedFacts {
  readonly pool: string
  /** What had been left on the session. */
  readonly left: string
  /** The last owner, who left it. */
  readonly label: string
  readonly cause: unknown
}

/** A session could not be cleaned for its next owner; its connection has been closed. Reported, never thrown at a caller. */
export class ResetFailedError extends LeaseholdError {
  readonly left: string
  readonly label: string

  constructor(facts: ResetFailedFacts) {
    super({
      code: 'LEASEHOLD_RESET_FAILED',
      phase: 'reset',
      what: `a connection of pool "${facts.pool}" could not be cleaned of ${facts.left} left by ${facts.label} and was closed`,
      remedy: 'Nothing is lost but the connection; look at the cause if it happens often',
      pool: facts.pool,
      cause: facts.cause,
    })
    this.name = 'ResetFailedError'
    this.left = facts.left
    this.label = facts.label
  }
}
