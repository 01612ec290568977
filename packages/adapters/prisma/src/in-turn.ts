import type { PrismaPg } from '@prisma/adapter-pg'
import type { AdapterState } from './adapter-state.js'
import { takesTurns } from './takes-turns.js'

type Transaction = Awaited<ReturnType<Awaited<ReturnType<PrismaPg['connect']>>['startTransaction']>>

/**
 * Opens a transaction that Prisma makes by itself, as for a nested write, in its turn. Inside `pool.transaction` it is a
 * savepoint, and what ran beside it would lie in that, and be undone with it when it fails; in a scope of mode `session` it
 * would be one with the others of the scope.
 */
export function inTurn({ pool, calls }: AdapterState, open: () => Promise<Transaction>): Promise<Transaction> {
  // For those of `$transaction`, which have been given their turn there, Prisma says how long it waits.
  if (calls.getStore()?.maxWait !== undefined || !takesTurns(pool)) return open()
  return new Promise((resolve, reject) => {
    const untilItsEnd = async (): Promise<void> => {
      const transaction = await open()
      const ended = new Promise<void>((end) => tellEnd(transaction, end, () => turn))
      resolve(transaction)
      await ended
    }
    const turn = Promise.resolve(pool.leases.ormTransaction(untilItsEnd))
    turn.catch(reject)
  })
}

/**
 * Both are called when COMMIT or ROLLBACK has been answered, and give the connection back.
 *
 * @param turn with `joinTransactions: 'all'` it commits the whole when the part has ended: only then is it committed.
 */
function tellEnd(transaction: Transaction, end: () => void, turn: () => Promise<void>): void {
  const { commit, rollback } = transaction
  transaction.commit = async () => {
    await commit.call(transaction).finally(end)
    await turn()
  }
  transaction.rollback = () => rollback.call(transaction).finally(end)
}
