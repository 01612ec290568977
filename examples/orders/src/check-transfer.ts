import type { NewTransfer } from './input.js'
import { noSuch } from './no-such.js'
import { Refusal } from './refusal.js'
import type { Account } from './store.js'

/**
 * Refuses a transfer that cannot be made.
 *
 * @param accounts those of the two that exist; nobody else may change them meanwhile.
 */
export function checkTransfer(
  { payerId, payeeId, amountCents }: NewTransfer,
  accounts: readonly Pick<Account, 'id' | 'balanceCents'>[],
): void {
  if (payerId === payeeId) throw new Refusal(400, 'SAME_ACCOUNT', 'payer and payee are the same account')
  const payer = accounts.find(({ id }) => id === payerId)
  if (!payer || accounts.length < 2) throw noSuch('account', payer ? payeeId : payerId)
  if (payer.balanceCents < amountCents) {
    throw new Refusal(409, 'NOT_ENOUGH_MONEY', `account ${payerId} has less than ${amountCents} cents`)
  }
}
