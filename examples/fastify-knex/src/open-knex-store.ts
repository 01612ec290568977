import { checkTransfer, noSuch, only, type Order, type Store } from '@leasehold/example-orders'
import { createKnex } from '@leasehold/knex'
import type { LeasedPgPool } from '@leasehold/pg'
import type { Knex } from 'knex'

// The names that the service answers with, and those of the columns.
const account = { id: 'id', owner: 'owner', balanceCents: 'balance_cents' }
const order = { id: 'id', accountId: 'account_id', item: 'item', amountCents: 'amount_cents', orderedAt: 'ordered_at' }

/** @param log where Knex says what it has to say. Default: the console. */
export function openKnexStore(pool: LeasedPgPool, log?: Knex.Logger): Store {
  const knex = createKnex(pool, log === undefined ? {} : { log })
  return {
    async openAccount({ owner, balanceCents }) {
      return only(await knex('accounts').insert({ owner, balance_cents: balanceCents }).returning(named(account)))
    },

    async account(id) {
      const found = await knex('accounts').where({ id }).first(account)
      if (!found) throw noSuch('account', id)
      return found
    },

    async placeOrder({ accountId, item, amountCents }) {
      try {
        const row = { account_id: accountId, item, amount_cents: amountCents }
        const placed = await knex('orders').insert(row).returning(named(order))
        return only(placed)
      } catch (error) {
        throw isForeignKeyViolation(error) ? noSuch('account', accountId) : error
      }
    },

    async order(id) {
      const found = await knex('orders').where({ id }).first(order)
      if (!found) throw noSuch('order', id)
      return found
    },

    ordersOf(accountId) {
      return knex('orders').where({ account_id: accountId }).orderBy('id', 'desc').limit(20).select(order)
    },

    allOrders(): AsyncIterable<Order> {
      return knex('orders').orderBy('id').select(order).stream()
    },

    transfer(asked, beforeCommit) {
      const { payerId, payeeId, amountCents } = asked
      return knex.transaction(async (transaction) => {
        // Locked in the order of their ids: two transfers in opposite directions must not wait for each other.
        const accounts = await transaction('accounts')
          .whereIn('id', [payerId, payeeId])
          .orderBy('id')
          .forUpdate()
          .select(account)
        checkTransfer(asked, accounts)
        await transaction('accounts').where({ id: payerId }).decrement('balance_cents', amountCents)
        await transaction('accounts').where({ id: payeeId }).increment('balance_cents', amountCents)
        const row = { payer_id: payerId, payee_id: payeeId, amount_cents: amountCents }
        const { id } = only(await transaction('transfers').insert(row).returning<Array<{ id: number }>>('id'))
        beforeCommit()
        return { id, ...asked }
      })
    },
  }
}

/** For `returning`, which takes no object: `balance_cents as balanceCents`. */
function named(columns: Readonly<Record<string, string>>): string[] {
  return Object.entries(columns).map(([name, column]) => `${column} as ${name}`)
}

function isForeignKeyViolation(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '23503'
}
