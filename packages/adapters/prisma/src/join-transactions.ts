import type { EnterTransaction, Isolation, OrmTransactionRequest } from '@leasehold/core'
import type { AdapterState } from './adapter-state.js'
import type { PrismaCall } from './prisma-call.js'
import { takesTurns } from './takes-turns.js'

type Transact = (this: object, input: unknown, options?: TransactOptions) => unknown

interface TransactOptions {
  readonly isolationLevel?: string
}

/** What callbacks ask for is asked for by lines of their own. */
const NO_CALL: PrismaCall = {}

/** Prisma's names for what SQL calls otherwise. */
const ISOLATIONS: Readonly<Record<string, Isolation>> = {
  ReadUncommitted: 'read uncommitted',
  ReadCommitted: 'read committed',
  RepeatableRead: 'repeatable read',
  Serializable: 'serializable',
}

/**
 * Makes what `client.$transaction` runs part of the transaction around it. An own property of the client, so that its
 * type stays, and that of what `$extends` makes of it.
 */
export function joinTransactions(client: object, { pool, calls }: AdapterState): void {
  const { $transaction: transact } = client as { readonly $transaction: Transact }
  /** What callbacks are given: a transaction that is opened there is a savepoint on the same connection. */
  const inside = new WeakSet<object>()

  const $transaction: Transact = function $transaction(input, options) {
    if (typeof input !== 'function') {
      const all = (): unknown => transact.call(this, input, options)
      // A list is a transaction too, or a savepoint, and what runs beside it must not lie in that.
      return takesTurns(pool) ? pool.leases.ormTransaction(all, { isNested: inside.has(this) }) : all()
    }
    const callback = input as (tx: object) => unknown
    const isNested = inside.has(this)
    // Called on another one's object it asks for no connection.
    const site = isNested ? undefined : pool.leases.captureSite($transaction)
    const run = (tx: object): unknown => (site === undefined ? callback(tx) : calls.run(NO_CALL, () => callback(tx)))
    const open = (enter: EnterTransaction): unknown => {
      const entered = (tx: object): unknown => {
        inside.add(tx)
        return enter(() => run(tx))
      }
      return transact.call(this, entered, options)
    }
    return pool.leases.ormTransaction(
      (enter) => (site === undefined ? open(enter) : calls.run({ site }, () => open(enter))),
      { isNested, modes: modesOf(options) },
    )
  }
  Object.defineProperty(client, '$transaction', { value: $transaction, writable: true, configurable: true })
}

function modesOf(options: TransactOptions | undefined): NonNullable<OrmTransactionRequest['modes']> {
  return { isolation: ISOLATIONS[options?.isolationLevel ?? ''] }
}
