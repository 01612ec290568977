import { LeaseholdError } from './leasehold-error.js'

export interface SettingsFailedFacts {
  /** The names of the settings that were to be made; never their values. */
  readonly settings: readonly string[]
  /** Why, as a clause: `the server refused them`. */
  readonly why: string
  readonly remedy: string
  /** The driver's own error, where the server said no. */
  readonly cause?: unknown
}

/** The settings that an owner declared could not be made. Its statement has not run. */
export class SettingsFailedError extends LeaseholdError {
  readonly settings: readonly string[]

  constructor(facts: SettingsFailedFacts) {
    super({
      code: 'LEASEHOLD_SETTINGS_FAILED',
      phase: 'settings',
      what: `the statement was not run, because ${facts.settings.join(', ')} could not be set: ${facts.why}`,
      remedy: facts.remedy,
      cause: facts.cause,
    })
    this.name = 'SettingsFailedError'
    this.settings = facts.settings
  }
}
