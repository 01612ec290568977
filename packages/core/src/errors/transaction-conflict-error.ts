import { LeaseholdError } from './leasehold-error.js'

export interface TransactionConflictFacts {
  readonly pool: string
  /** The pool of the transaction around it, where that is another one. */
  readonly otherPool?: string
  /** Whose transaction it is. */
  readonly label: string
  /** What cannot be, as a sentence without its full stop. */
  readonly what: string
  readonly remedy: string
  readonly cause?: unknown
}

/**
 * A transaction could not be what it was asked to be: inside the one around it, or beside another one that shares its
 * connection. What it was about was not sent, or the transaction was rolled back.
 */
export class TransactionConflictError extends LeaseholdError {
  readonly label: string
  /** The pool of the transaction around it, where that is another one. */
  readonly otherPool: string | undefined

  constructor({ pool, otherPool, label, what, remedy, cause }: TransactionConflictFacts) {
    super({ code: 'LEASEHOLD_TRANSACTION_CONFLICT', phase: 'transaction', what, remedy, pool, cause })
    this.name = 'TransactionConflictError'
    this.label = label
    this.otherPool = otherPool
  }
}
