import type { EnterTransaction } from '@leasehold/core'
import type { LeasedPgPool } from '@leasehold/pg'
import type { DrizzleSession, DrizzleTransaction, TransactionWork } from './drizzle-internals.js'
import { modesOf } from './modes-of.js'
import { withReason } from './with-reason.js'

/**
 * Makes a session run each of its transactions on a lease that is given back however the transaction ends, and as part of
 * the transaction around it.
 *
 * Drizzle takes a client from a pool by itself, and keeps it for good when BEGIN fails; so it is given a client instead,
 * and does not know that there is a pool.
 */
export function leaseTransactions(session: DrizzleSession, pool: LeasedPgPool): void {
  const { transaction } = session

  session.transaction = function transactionOnLease(this: DrizzleSession, work, config) {
    const open = (enter: EnterTransaction): Promise<unknown> => runOnLease(this, work, config, enter)
    try {
      return pool.leases.ormTransaction(open, { modes: modesOf(config) })
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async function runOnLease(
    from: DrizzleSession,
    work: TransactionWork,
    config: object | undefined,
    enter: EnterTransaction,
  ): Promise<unknown> {
    const client = await from.client.connect()
    const onLease = sessionOn(client, from, transaction)
    const inside: TransactionWork = async (tx) => {
      joinNested(tx, pool)
      return enter(() => work(tx))
    }
    try {
      return await withReason(inside, (watched) => onLease.transaction(watched, config))
    } finally {
      client.release()
    }
  }
}

/**
 * A session like `from` on one client. Its own fields are copied: an object that had `from` for its prototype would be of a
 * shape of its own, and V8 would optimize nothing that looks at it.
 */
function sessionOn(client: object, from: DrizzleSession, transaction: DrizzleSession['transaction']): DrizzleSession {
  const alike = Object.create(Object.getPrototypeOf(from) as object) as DrizzleSession
  return Object.assign(alike, from, { client, transaction })
}

/** `tx.transaction` makes a savepoint on the same client: it takes its turn like any other, and so do those inside it. */
function joinNested(tx: DrizzleTransaction, pool: LeasedPgPool): void {
  const { transaction } = tx
  tx.transaction = async function nested(this: DrizzleTransaction, work, ...more) {
    return pool.leases.ormTransaction(
      (enter) => {
        const inside: TransactionWork = async (inner) => {
          joinNested(inner, pool)
          return enter(() => work(inner))
        }
        return withReason(inside, (watched) => transaction.call(this, watched, ...more))
      },
      { isNested: true },
    )
  }
}
