import { LeaseholdError } from './leasehold-error.js'

export interface ScopeClosedFacts {
  readonly label: string
  readonly pool?: string | undefined
  readonly cause?: unknown
}

/** Something was asked of a scope that has closed, or that closed while it waited. */
export class ScopeClosedError extends LeaseholdError {
  readonly label: string

  constructor(facts: ScopeClosedFacts) {
    super({
      code: 'LEASEHOLD_SCOPE_CLOSED',
      phase: 'scope',
      what: `the scope "${facts.label}" has closed`,
      remedy: 'Await the work before the request ends, or run it in detached() or a scope of its own',
      pool: facts.pool,
      cause: facts.cause,
    })
    this.name = 'ScopeClosedError'
    this.label = facts.label
  }
}
