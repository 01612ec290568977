import type { PrismaPg } from '@prisma/adapter-pg'

type Adapter = Awaited<ReturnType<PrismaPg['connect']>>

const LAST_WORDS = ['COMMIT', 'ROLLBACK']

/**
 * Gives the connection of a transaction back also when its COMMIT or ROLLBACK fails: a deferred constraint, a backend
 * that was killed. Prisma 6 never does, and nobody would know of it any more.
 */
export function releaseInAnyCase(adapter: Adapter): void {
  const { startTransaction } = adapter
  adapter.startTransaction = async function start(isolationLevel) {
    const transaction = await startTransaction.call(this, isolationLevel)
    const { executeRaw } = transaction
    transaction.executeRaw = async function execute(query) {
      try {
        return await executeRaw.call(this, query)
      } catch (error) {
        if (LAST_WORDS.includes(query.sql)) {
          // Only gives the client back: what it is called for has been sent by then.
          await transaction.rollback()
          // Prisma 7 does it as well, and not every pool takes a second release.
          transaction.commit = transaction.rollback = async () => {}
        }
        throw error
      }
    }
    return transaction
  }
}
