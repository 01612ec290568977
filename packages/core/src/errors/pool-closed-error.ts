import { LeaseholdError } from './leasehold-error.js'

/** The pool is closing or closed and lends no more. */
export class PoolClosedError extends LeaseholdError {
  constructor(pool: string) {
    super({
      code: 'LEASEHOLD_POOL_CLOSED',
      phase: 'queue',
      what: `pool "${pool}" is closed`,
      remedy: 'Close a pool only after the last work that needs it: bindings do so when requests have drained',
      pool,
    })
    this.name = 'PoolClosedError'
  }
}
