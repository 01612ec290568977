import { createDrizzle } from '@leasehold/drizzle'
import { checkTransfer, noSuch, only, pageByPage, type Store } from '@leasehold/example-orders'
import type { LeasedPgPool } from '@leasehold/pg'
import { asc, desc, DrizzleQueryError, eq, gt, inArray, sql } from 'drizzle-orm'
import { accounts, orders, transfers } from './tables.js'

export function openDrizzleStore(pool: LeasedPgPool): Store {
  const db = createDrizzle(pool)
  return {
    async openAccount(account) {
      return only(await db.insert(accounts).values(account).returning())
    },

    async account(id) {
      const [found] = await db.select().from(accounts).where(eq(accounts.id, id))
      if (!found) throw noSuch('account', id)
      return found
    },

    async placeOrder(order) {
      try {
        return only(await db.insert(orders).values(order).returning())
      } catch (error) {
        throw isForeignKeyViolation(error) ? noSuch('account', order.accountId) : error
      }
    },

    async order(id) {
      const [found] = await db.select().from(orders).where(eq(orders.id, id))
      if (!found) throw noSuch('order', id)
      return found
    },

    ordersOf(accountId) {
      return db.select().from(orders).where(eq(orders.accountId, accountId)).orderBy(desc(orders.id)).limit(20)
    },

    allOrders() {
      return pageByPage((id, limit) =>
        db.select().from(orders).where(gt(orders.id, id)).orderBy(asc(orders.id)).limit(limit),
      )
    },

    transfer(asked, beforeCommit) {
      const { payerId, payeeId, amountCents } = asked
      return db.transaction(async (tx) => {
        // Locked in the order of their ids: two transfers in opposite directions must not wait for each other.
        const both = inArray(accounts.id, [payerId, payeeId])
        checkTransfer(asked, await tx.select().from(accounts).where(both).orderBy(asc(accounts.id)).for('update'))
        const { balanceCents } = accounts
        await tx
          .update(accounts)
          .set({ balanceCents: sql`${balanceCents} - ${amountCents}` })
          .where(eq(accounts.id, payerId))
        await tx
          .update(accounts)
          .set({ balanceCents: sql`${balanceCents} + ${amountCents}` })
          .where(eq(accounts.id, payeeId))
        const { id } = only(await tx.insert(transfers).values(asked).returning({ id: transfers.id }))
        beforeCommit()
        return { id, ...asked }
      })
    },
  }
}

/** Drizzle puts what the driver says into the cause of its own error. */
function isForeignKeyViolation(error: unknown): boolean {
  if (!(error instanceof DrizzleQueryError)) return false
  return error.cause !== undefined && 'code' in error.cause && error.cause.code === '23503'
}
