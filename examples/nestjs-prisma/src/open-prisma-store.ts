import { checkTransfer, noSuch, pageByPage, type Store, type Transfer } from '@leasehold/example-orders'
import type { LeasedPgPool } from '@leasehold/pg'
import { createPrismaAdapter, leasePrisma } from '@leasehold/prisma'
import { type Account, Prisma, PrismaClient } from '../.generated/client/client.js'

/** For a connection: as long as all other statements wait for theirs. Prisma's own default is 2 s. */
const MAX_WAIT_MS = 5_000

export function openPrismaStore(pool: LeasedPgPool): Store {
  const prisma = leasePrisma(new PrismaClient({ adapter: createPrismaAdapter(pool) }), pool)
  return {
    async openAccount(account) {
      return prisma.account.create({ data: account })
    },

    async account(id) {
      const found = await prisma.account.findUnique({ where: { id } })
      if (!found) throw noSuch('account', id)
      return found
    },

    async placeOrder(order) {
      try {
        return await prisma.order.create({ data: order })
      } catch (error) {
        throw isForeignKeyViolation(error) ? noSuch('account', order.accountId) : error
      }
    },

    async order(id) {
      const found = await prisma.order.findUnique({ where: { id } })
      if (!found) throw noSuch('order', id)
      return found
    },

    async ordersOf(accountId) {
      return prisma.order.findMany({ where: { accountId }, orderBy: { id: 'desc' }, take: 20 })
    },

    allOrders() {
      return pageByPage((id, limit) =>
        prisma.order.findMany({ where: { id: { gt: id } }, orderBy: { id: 'asc' }, take: limit }),
      )
    },

    async transfer(asked, beforeCommit) {
      const { payerId, payeeId, amountCents } = asked
      const work = async (tx: Prisma.TransactionClient): Promise<Transfer> => {
        // Locked in the order of their ids: two transfers in opposite directions must not wait for each other. Prisma has
        // no words for locks, hence the SQL.
        const accounts = await tx.$queryRaw<Array<Pick<Account, 'id' | 'balanceCents'>>>`
          select id, balance_cents as "balanceCents" from accounts
          where id in (${payerId}, ${payeeId}) order by id for update`
        checkTransfer(asked, accounts)
        await tx.account.update({ where: { id: payerId }, data: { balanceCents: { decrement: amountCents } } })
        await tx.account.update({ where: { id: payeeId }, data: { balanceCents: { increment: amountCents } } })
        const { id } = await tx.transfer.create({ data: asked })
        beforeCommit()
        return { id, ...asked }
      }
      return prisma.$transaction(work, { maxWait: MAX_WAIT_MS })
    },
  }
}

function isForeignKeyViolation(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2003'
}
