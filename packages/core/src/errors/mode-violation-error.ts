import type { PoolMode } from '../ports/driver.js'
import { LeaseholdError } from './leasehold-error.js'

export interface ModeViolationFacts {
  readonly pool: string
  readonly mode: PoolMode
  readonly label: string
}

/** An explicit transaction was asked for in `statement` mode. Nothing was sent. */
export class ModeViolationError extends LeaseholdError {
  readonly mode: PoolMode
  readonly label: string

  constructor(facts: ModeViolationFacts) {
    super({
      code: 'LEASEHOLD_MODE_VIOLATION',
      phase: 'transaction',
      what: `${facts.label} began a transaction on pool "${facts.pool}", whose mode is ${facts.mode}`,
      remedy: "Give the scope or the pool mode 'transaction', or send the statements one by one",
      pool: facts.pool,
    })
    this.name = 'ModeViolationError'
    this.mode = facts.mode
    this.label = facts.label
  }
}
