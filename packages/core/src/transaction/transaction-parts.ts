import type { TransactionOptions } from '../options/transaction-options.js'
import type { DriverTransactions } from '../ports/transactions.js'
import type { SessionLine } from './session-line.js'
import type { TimeLimit } from './time-limit.js'
import type { RunApart } from './transaction.js'
import type { TransactionDesk } from './transaction-desk.js'

/** What one call of `pool.transaction` works with. */
export interface TransactionParts<Client> {
  readonly desk: TransactionDesk<Client>
  readonly port: DriverTransactions<Client>
  readonly options: TransactionOptions
  readonly limit: TimeLimit<Client>
  readonly line: SessionLine<Client>
  /** Set when it is to be rolled back in any case. */
  readonly apart?: RunApart<Client> | undefined
}
