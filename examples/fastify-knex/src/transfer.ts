import type { Knex } from 'knex'
import { type Account, accountColumns } from './accounts.js'
import { Refusal } from './refusal.js'

export interface TransferOrder {
  readonly payerId: number
  readonly payeeId: number
  readonly amountCents: number
}

/**
 * Moves money from one account to another: all of it, or nothing.
 *
 * @param signal aborts when whoever asked for it has gone; then nothing is moved.
 */
export async function transfer(
  knex: Knex,
  { payerId, payeeId, amountCents }: TransferOrder,
  signal: AbortSignal,
): Promise<{ readonly id: number }> {
  if (payerId === payeeId) throw new Refusal(400, 'SAME_ACCOUNT', 'payer and payee are the same account')
  return knex.transaction(async (transaction) => {
    // Locked in the order of their ids: two transfers in opposite directions must not wait for each other.
    const accounts = await transaction('accounts')
      .whereIn('id', [payerId, payeeId])
      .orderBy('id')
      .forUpdate()
      .select<readonly Account[]>(accountColumns)
    const payer = accounts.find(({ id }) => id === payerId)
    if (!payer || accounts.length < 2) {
      throw new Refusal(404, 'NO_SUCH_ACCOUNT', `there is no account ${payer ? payeeId : payerId}`)
    }
    if (payer.balanceCents < amountCents) {
      throw new Refusal(409, 'NOT_ENOUGH_MONEY', `account ${payerId} has less than ${amountCents} cents`)
    }
    await transaction('accounts').where({ id: payerId }).decrement('balance_cents', amountCents)
    await transaction('accounts').where({ id: payeeId }).increment('balance_cents', amountCents)
    const [made] = await transaction('transfers')
      .insert({ payer_id: payerId, payee_id: payeeId, amount_cents: amountCents })
      .returning<Array<{ id: number }>>('id')
    if (!made) throw new Error('an insert returned no row')
    // The locks may have been long in coming, and a client that has hung up would never learn that its money moved.
    signal.throwIfAborted()
    return made
  })
}
