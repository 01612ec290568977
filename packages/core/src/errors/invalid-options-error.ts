import { LeaseholdError } from './leasehold-error.js'

/** One thing that is wrong with the options. */
export interface OptionFault {
  /** The option's name, as it was given. */
  readonly option: string
  /** What was received, printed; never a password or a connection string. */
  readonly received: string
  /** What would have been right. */
  readonly expected: string
}

/** Options were refused. All that is wrong with them is in `faults`; nothing was opened. */
export class InvalidOptionsError extends LeaseholdError {
  readonly faults: readonly OptionFault[]

  constructor(of: string, faults: readonly OptionFault[]) {
    const list = faults.map((fault) => `${fault.option}: expected ${fault.expected}, received ${fault.received}`)
    super({
      code: 'LEASEHOLD_INVALID_OPTIONS',
      phase: 'settings',
      what: `${of} cannot be used: ${list.join('; ')}`,
      remedy: faults.length === 1 ? 'Correct it and start again' : `Correct all ${faults.length} and start again`,
    })
    this.name = 'InvalidOptionsError'
    this.faults = faults
  }
}
