import { LeaseholdError } from './leasehold-error.js'

export interface SettingRequiredFacts {
  readonly pool: string
  readonly label: string
  /** The names that the pool requires and nobody declared. */
  readonly missing: readonly string[]
}

/** A connection was asked for without settings that the pool's `requireSettings` names. Nothing was lent. */
export class SettingRequiredError extends LeaseholdError {
  readonly label: string
  readonly missing: readonly string[]

  constructor(facts: SettingRequiredFacts) {
    super({
      code: 'LEASEHOLD_SETTING_REQUIRED',
      phase: 'settings',
      what: `${facts.label} asked pool "${facts.pool}" for a connection without declaring ${facts.missing.join(', ')}`,
      remedy: 'Declare it in `settings` of the scope, the request or the binding, or with `scope.set`',
      pool: facts.pool,
    })
    this.name = 'SettingRequiredError'
    this.label = facts.label
    this.missing = facts.missing
  }
}
