import { LeaseholdError } from './leasehold-error.js'

export interface TransactionEndedFacts {
  readonly pool: string
  readonly label: string
  /** What was tried: `query`, `acquire`, `transaction`. */
  readonly operation: string
  /** How the transaction ended: `it was committed`. */
  readonly endedBy: string
  readonly cause?: unknown
  /** Where it ended because it took too long. */
  readonly retryAfterMs?: number | undefined
}

/** Something was asked for in a transaction that has ended. Nothing was sent: outside of it, it would have stayed whatever became of the rest. */
export class TransactionEndedError extends LeaseholdError {
  readonly label: string
  readonly operation: string
  readonly endedBy: string

  constructor({ pool, label, operation, endedBy, cause, retryAfterMs }: TransactionEndedFacts) {
    super({
      code: 'LEASEHOLD_TRANSACTION_ENDED',
      phase: 'transaction',
      what: `${operation} was called in a transaction of ${label} on pool "${pool}" that has ended: ${endedBy}`,
      remedy: 'Await all work of a transaction inside it, and run what is to outlive it in detached()',
      pool,
      cause,
      retryAfterMs,
    })
    this.name = 'TransactionEndedError'
    this.label = label
    this.operation = operation
    this.endedBy = endedBy
  }
}
