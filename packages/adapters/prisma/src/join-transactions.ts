import type { Isolation, OrmTransactionRequest } from '@leasehold/core'
import type { LeasedPgPool } from '@leasehold/pg'

type Transact = (this: object, input: unknown, options?: TransactOptions) => unknown

interface TransactOptions {
  readonly isolationLevel?: string
}

/** Prisma's names for what SQL calls otherwise. */
const ISOLATIONS: Readonly<Record<string, Isolation>> = {
  ReadUncommitted: 'read uncommitted',
  ReadCommitted: 'read committed',
  RepeatableRead: 'repeatable read',
  Serializable: 'serializable',
}

/**
 * Makes the callback of `client.$transaction` part of the transaction around it. An own property of the client, so that its
 * type stays, and that of what `$extends` makes of it.
 */
export function joinTransactions(client: object, pool: LeasedPgPool): void {
  const { $transaction: transact } = client as { readonly $transaction: Transact }
  /** What callbacks are given: a transaction that is opened there is a savepoint on the same connection. */
  const inside = new WeakSet<object>()

  const $transaction: Transact = function $transaction(input, options) {
    if (typeof input !== 'function') return transact.call(this, input, options)
    const callback = input as (tx: object) => unknown
    return pool.leases.ormTransaction(
      (enter) => {
        const entered = (tx: object): unknown => {
          inside.add(tx)
          return enter(() => callback(tx))
        }
        return transact.call(this, entered, options)
      },
      { isNested: inside.has(this), modes: modesOf(options) },
    )
  }
  Object.defineProperty(client, '$transaction', { value: $transaction, writable: true, configurable: true })
}

function modesOf(options: TransactOptions | undefined): NonNullable<OrmTransactionRequest['modes']> {
  return { isolation: ISOLATIONS[options?.isolationLevel ?? ''] }
}
