import { LeaseholdError } from './leasehold-error.js'

export interface LeaseReleasedFacts {
  readonly pool: string
  /** What was tried on the handle: `query`, `end`, `read`. */
  readonly operation: string
  readonly label: string
  readonly site: string | undefined
  /** Why the lease was over: its holder released it, or it was taken back. */
  readonly endedBy: string
}

/** A handle was used after its lease had ended. Nothing was sent. */
export class LeaseReleasedError extends LeaseholdError {
  readonly operation: string
  readonly label: string
  readonly site: string | undefined
  readonly endedBy: string

  constructor(facts: LeaseReleasedFacts) {
    super({
      code: 'LEASEHOLD_LEASE_RELEASED',
      phase: 'scope',
      what:
        `${facts.operation} was called on a lease of pool "${facts.pool}" that is over: ${facts.endedBy} ` +
        `(${facts.label}${facts.site === undefined ? '' : ` ${facts.site}`})`,
      remedy: 'Await all work on a connection before it is released, and acquire a new lease for later work',
      pool: facts.pool,
    })
    this.name = 'LeaseReleasedError'
    this.operation = facts.operation
    this.label = facts.label
    this.site = facts.site
    this.endedBy = facts.endedBy
  }
}
