import { LeaseholdError } from '@leasehold/core'

export interface RefusedConnectionsFacts {
  readonly pool: string
  readonly refused: number
  readonly waitedMs: number
  /** Why there was not one more, if one was asked for. */
  readonly cause?: LeaseholdError | undefined
}

/** `pool.validate` refused connections until the caller's time was over. */
export class RefusedConnectionsError extends LeaseholdError {
  readonly refused: number

  constructor({ pool, refused, waitedMs, cause }: RefusedConnectionsFacts) {
    super({
      code: 'LEASEHOLD_ACQUIRE_TIMEOUT',
      phase: 'check',
      what: `pool.validate of Knex refused ${refused} ${refused === 1 ? 'connection' : 'connections'} of pool "${pool}" within ${Math.round(waitedMs)} ms`,
      remedy: 'Look at why it does: what it throws is in the log of Knex',
      pool,
      cause,
      retryAfterMs: 1_000,
    })
    this.name = 'RefusedConnectionsError'
    this.refused = refused
  }
}
