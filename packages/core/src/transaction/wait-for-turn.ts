import type { Transaction, WholeTransaction } from './transaction.js'

/**
 * Waits until a transaction inside another may begin: from then on it has the turn, until it leaves.
 *
 * @throws {TurnTimeoutError} when its turn does not come in time.
 * @throws {TransactionEndedError} when the transaction around it ends meanwhile.
 */
export function waitForTurn<Client>(taker: Transaction<Client>, whole: WholeTransaction<Client>): Promise<void> {
  return new Promise((resolve, reject) => {
    const deadlineAt = whole.waitsUntil()
    const isFree = whole.turns.take({ taker, begins: true, asker: taker, deadlineAt, start: resolve, refuse: reject })
    if (isFree) resolve()
  })
}
