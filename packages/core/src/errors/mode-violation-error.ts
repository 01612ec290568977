import type { PoolMode } from '../ports/driver.js'
import { LeaseholdError } from './leasehold-error.js'

export interface ModeViolationFacts {
  readonly pool: string
  readonly mode: PoolMode
  readonly label: string
  /** What the statement would have left on the session: `setting search_path`. Undefined when it began a transaction. */
  readonly pin?: string | undefined
}

/** In `statement` mode a transaction was begun, or a statement sent that ties the session to its owner. Nothing was sent. */
export class ModeViolationError extends LeaseholdError {
  readonly mode: PoolMode
  readonly label: string
  readonly pin: string | undefined

  constructor(facts: ModeViolationFacts) {
    super({
      code: 'LEASEHOLD_MODE_VIOLATION',
      phase: 'transaction',
      what: `${facts.label} ${didWhat(facts.pin)} on pool "${facts.pool}", whose mode is ${facts.mode}`,
      remedy:
        facts.pin === undefined
          ? "Give the scope or the pool mode 'transaction', or send the statements one by one"
          : "Give the scope or the pool mode 'transaction', or declare what the session shall carry as settings",
      pool: facts.pool,
    })
    this.name = 'ModeViolationError'
    this.mode = facts.mode
    this.label = facts.label
    this.pin = facts.pin
  }
}

function didWhat(pin: string | undefined): string {
  return pin === undefined ? 'began a transaction' : `sent a statement that leaves ${pin} on its session,`
}
