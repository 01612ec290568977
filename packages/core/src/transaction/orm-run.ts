import { bindToContext, currentContext, runInContext } from '../scope/context.js'
import type { Site } from '../ports/owner.js'
import type { TransactionModes } from '../ports/transactions.js'
import { Transaction } from './transaction.js'
import { transactionConflicts } from './transaction-conflicts.js'
import type { TransactionDesk } from './transaction-desk.js'

/** Runs the callback of an ORM's transaction inside that. */
export type EnterTransaction = <R>(callback: () => R) => R

/** What an adapter says of the transaction that its ORM opens. */
export interface OrmTransactionRequest {
  /** What the ORM was asked for, in a transaction that is declared for it. */
  readonly modes?: Partial<TransactionModes>
  /** Whether it is opened on the object of another transaction, on whose connection it will be. Default false. */
  readonly isNested?: boolean
}

/**
 * Runs a transaction method of an ORM inside another transaction, as a savepoint in it, when its turn has come: before the
 * ORM opens anything, whose own timeouts would else run meanwhile.
 *
 * The first transaction that is begun in the context of `open` is that of the ORM; what then runs by way of `enter` is part of it.
 *
 * @returns what `open` returns, the very same where nobody has to wait.
 */
export function runOrmInside<Client, R>(
  { leases, poolId }: TransactionDesk<Client>,
  around: Transaction<Client>,
  site: Site | undefined,
  isNested: boolean,
  open: (enter: EnterTransaction) => R,
): R | Promise<Awaited<R>> {
  const { whole } = around
  if (whole === undefined) throw new Error('bug in Leasehold: there is no transaction to join')
  const outer = currentContext()?.frame
  const { label } = whole.base
  const facts = { pool: leases.pool, poolId, label, whole, parent: around, isSavepoint: true, outer, site }
  const frame = new Transaction<Client>(facts)
  const { turns } = whole

  const enter: EnterTransaction = (callback) => {
    if (frame.isToBegin && isNested) {
      // It lies on a connection that has not joined, as its owner has chosen.
      leave()
      return runInContext({ scope: currentContext()?.scope, frame: outer }, callback)
    }
    if (frame.isToBegin) throw transactionConflicts.neverBegun(frame)
    if (frame.isOver) throw frame.ended('transaction')
    return runInContext({ scope: currentContext()?.scope, frame }, callback)
  }
  const leave = (): void => {
    if (frame.state.is === 'ended') return
    frame.close('it has ended')
    frame.settle(frame.outcome)
    turns.leave(frame)
  }
  const run = (): R => {
    try {
      const result = runInContext({ scope: currentContext()?.scope, frame }, () => open(enter))
      // Before whoever awaits the result goes on.
      Promise.resolve(result).then(leave, leave)
      return result
    } catch (error) {
      leave()
      throw error
    }
  }

  let start = (): void => {}
  let refuse = (_error: Error): void => {}
  const deadlineAt = whole.waitsUntil()
  const request = { taker: frame, begins: true, asker: frame, deadlineAt }
  if (turns.take({ ...request, start: () => start(), refuse: (error) => refuse(error) })) return run()
  return new Promise<R>((resolve, reject) => {
    start = bindToContext(() => {
      try {
        resolve(run())
      } catch (error) {
        reject(error)
      }
    })
    refuse = (error) => {
      leave()
      reject(error)
    }
  }) as Promise<Awaited<R>>
}
