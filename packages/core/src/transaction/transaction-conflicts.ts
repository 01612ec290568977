import type { TransactionConflictError } from '../errors/transaction-conflict-error.js'
import type { Transaction } from './transaction.js'

const ONE_AFTER_THE_OTHER =
  'Run one part of a transaction after the other, or in transactions of their own (requires-new)'

/** The errors of parts of one transaction that cannot all have their way. */
export const transactionConflicts = {
  /** In place of a commit. */
  failedInside(transaction: Transaction<never> | Transaction, because: unknown): TransactionConflictError {
    return transaction.conflict(
      `a transaction of ${transaction.label} was rolled back in place of being committed: something in it had failed, ` +
        'whose error was caught',
      'Let the error through, or run what may fail as a nested transaction',
      because,
    )
  },

  undoneByOthers(transaction: Transaction): TransactionConflictError {
    return transaction.conflict(
      `a nested transaction of ${transaction.title} was undone by another part of the transaction around it`,
      ONE_AFTER_THE_OTHER,
    )
  },

  undid(transaction: Transaction, other: string): TransactionConflictError {
    return transaction.conflict(
      `a nested transaction of ${transaction.title} was rolled back in which ${other} had worked, and that was undone as well`,
      ONE_AFTER_THE_OTHER,
    )
  },

  differs(transaction: Transaction, what: string): TransactionConflictError {
    return transaction.conflict(
      `${what} was asked for inside a transaction of ${transaction.label} that runs otherwise`,
      'Ask for it where the transaction begins, or use a transaction of its own (requires-new)',
    )
  },

  stillRunning(transaction: Transaction): TransactionConflictError {
    return transaction.conflict(
      `a statement of ${transaction.label} still ran when its transaction was to be committed`,
      'Await all statements inside the transaction, and close cursors',
    )
  },

  neverBegun(transaction: Transaction): TransactionConflictError {
    return transaction.conflict(
      `the callback of a transaction of ${transaction.title} was called, though that transaction never began`,
      'See why it did not begin: the error of its BEGIN is reported as well',
    )
  },
} as const
