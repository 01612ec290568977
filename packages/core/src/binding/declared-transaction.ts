import type { TransactionOptions } from '../options/transaction-options.js'

/** A transaction that is declared once, for all calls of a method or a handler: how it runs, and on which pool. */
export interface DeclaredTransaction extends TransactionOptions {
  /** The name of its pool, among those that the service was given. Default: the only one, or of several `main`. */
  readonly pool?: string | undefined
}
