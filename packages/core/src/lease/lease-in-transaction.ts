import type { JoinedTransaction } from '../ports/transactions.js'

/** The part of a lease in a transaction around it. */
export interface LeaseInTransaction extends JoinedTransaction {
  /** How the transaction ended, or goes on: `it was committed`. */
  readonly ending: string
  /** Its holder wants the connection closed, which is the transaction's as well. */
  discards(reason: unknown): void
}
