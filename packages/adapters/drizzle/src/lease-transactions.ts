import type { DrizzleSession } from './drizzle-internals.js'

/**
 * Makes a session run each of its transactions on a lease that is given back however the transaction ends.
 *
 * Drizzle takes a client from a pool by itself, and keeps it for good when BEGIN fails; so it is given a client instead,
 * and does not know that there is a pool. And when ROLLBACK fails it throws that, and not why it rolled back.
 */
export function leaseTransactions(session: DrizzleSession): void {
  const { transaction } = session

  session.transaction = async function transactionOnLease(this: DrizzleSession, work, config) {
    const client = await this.client.connect()
    const onLease = Object.create(this, { client: { value: client }, transaction: { value: transaction } })
    let failure: { readonly cause: unknown } | undefined
    const watched: typeof work = async (tx) => {
      try {
        return await work(tx)
      } catch (cause) {
        failure = { cause }
        throw cause
      }
    }
    try {
      return await (onLease as DrizzleSession).transaction(watched, config)
    } catch (error) {
      throw failure === undefined ? error : failure.cause
    } finally {
      client.release()
    }
  }
}
