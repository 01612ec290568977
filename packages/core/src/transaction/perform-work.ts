import { currentContext, runInContext } from '../scope/context.js'
import type { TimeLimit } from './time-limit.js'
import type { Transaction } from './transaction.js'

/** What runs in a transaction. */
export type TransactionWork<Client, R> = (client: Client, transaction: Transaction<Client>) => R | PromiseLike<R>

/**
 * Runs the work in the context of its transaction, no longer than its limit allows.
 *
 * @throws {TransactionEndedError} when it is over. What the work still does meanwhile, and what comes of it, counts no more.
 */
export function performWork<Client, R>(
  limit: TimeLimit<Client>,
  transaction: Transaction<Client>,
  client: Client,
  work: TransactionWork<Client, R>,
): Promise<Awaited<R>> {
  const context = { scope: currentContext()?.scope, frame: transaction }
  // What it returns may be a lazy query: it is awaited inside.
  const performed = runInContext(context, async (): Promise<Awaited<R>> => await work(client, transaction))
  return limit.whileItLasts(performed)
}
