import type { TransactionWork } from './drizzle-internals.js'

/**
 * Runs a transaction of Drizzle's so that it throws why it rolled back: what its work threw, or its COMMIT. When its
 * ROLLBACK fails as well, Drizzle throws that, and a commit of which nobody knows would look like one that was never tried.
 */
export async function withReason(
  work: TransactionWork,
  open: (work: TransactionWork) => Promise<unknown>,
): Promise<unknown> {
  let failure: { readonly cause: unknown } | undefined
  const noted = async (step: () => PromiseLike<unknown>): Promise<unknown> => {
    try {
      return await step()
    } catch (cause) {
      failure ??= { cause }
      throw cause
    }
  }
  try {
    return await open(async (tx) => {
      const result = await noted(() => work(tx))
      const { execute } = tx
      // The next that Drizzle executes is its COMMIT, or the RELEASE of its savepoint.
      tx.execute = (...query) => {
        tx.execute = execute
        return noted(() => execute.apply(tx, query))
      }
      return result
    })
  } catch (error) {
    throw failure === undefined ? error : failure.cause
  }
}
