import type { LeaseTerms } from '../lease/lease-terms.js'
import type { Lending } from '../lease/lending.js'
import type { Leases } from '../lease/leases.js'
import { JoinedLease } from './joined-lease.js'
import type { Transaction, WholeTransaction } from './transaction.js'

/**
 * A lease on the session of a transaction, which dies with it. What its holder has begun there and not ended is undone when
 * it ends, as it would be on a connection of its own.
 *
 * @param isWhole whether it is for the callback of the transaction.
 */
export function shareSession<Client>(
  leases: Leases<Client>,
  transaction: Transaction<Client>,
  whole: WholeTransaction<Client>,
  terms: LeaseTerms,
  isWhole: boolean,
): Lending<Client> {
  const joined = new JoinedLease(transaction, whole, terms, isWhole)
  const lending = leases.borrow(whole.base, terms, joined)
  transaction.borrows.add(lending)
  lending.onEnd(() => {
    transaction.borrows.delete(lending)
    const open = joined.ended()
    if (open === undefined || whole.isRollingBack || !whole.base.open) return
    const undoing = undo(open.name).finally(() => whole.undoing.delete(undoing))
    whole.undoing.add(undoing)
  })
  return lending

  async function undo(name: string): Promise<void> {
    const { driver } = leases
    try {
      await driver.transaction?.rollbackTo(whole.client, name)
    } catch (error) {
      transaction.doomWhole(error)
    }
  }
}
