import type { TransactionOptions } from '../options/transaction-options.js'
import type { BoundPool } from './pool-source.js'

/** What a handler has come to, and has not sent yet. */
export interface HeldAnswer<Answer> {
  /** Whether it tells the client that the request failed. */
  readonly refuses: boolean
  readonly answer: Answer
}

/** The lowest status that tells a client that its request failed. */
const FIRST_REFUSAL = 400

/** Whether an answer of this status tells a client that its request failed: then the request leaves nothing behind. */
export function refusesRequest(status: number): boolean {
  return status >= FIRST_REFUSAL
}

/** Has a transaction rolled back of which nothing failed. Nobody but `answerInTransaction` ever sees it. */
class Refused<Answer> extends Error {
  readonly held: HeldAnswer<Answer>

  constructor(held: HeldAnswer<Answer>) {
    super('the request was answered with a refusal')
    this.held = held
  }
}

/**
 * The transaction of a request: committed before its answer is sent, so that nobody is told of what did not come to stay. An
 * answer that refuses the request rolls it back, and so does whatever ends the request's scope: an abort, a deadline.
 *
 * @param handle is run in the transaction, once more for each retry, and resolves with the answer in place of sending it.
 * @returns the answer that may be sent now.
 * @throws what `handle` and `pool.transaction` throw: nothing was committed, and nothing must have been sent.
 */
export async function answerInTransaction<Answer>(
  pool: BoundPool,
  options: TransactionOptions,
  handle: () => Promise<HeldAnswer<Answer>>,
): Promise<Answer> {
  const work = async (): Promise<HeldAnswer<Answer>> => {
    const held = await handle()
    if (held.refuses) throw new Refused(held)
    return held
  }
  try {
    return (await pool.transaction(work, options)).answer
  } catch (error) {
    if (error instanceof Refused) return (error as Refused<Answer>).held.answer
    throw error
  }
}
