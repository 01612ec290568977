import { answerInTransaction, type BoundPool, type TransactionOptions } from '@leasehold/core'
import type { RouteHandlerMethod } from 'fastify'
import { HeldReply } from './held-reply.js'

/** A handler that does what `handler` does in a transaction, which is committed before its reply is sent. */
export function transactionalHandler(
  handler: RouteHandlerMethod,
  pool: BoundPool,
  options: TransactionOptions,
): RouteHandlerMethod {
  return async function transactional(this, request, reply): Promise<unknown> {
    const held = new HeldReply(reply, pool.name)
    try {
      const send = await answerInTransaction(pool, options, () =>
        held.answerOf(() => handler.call(this, request, reply)),
      )
      held.release()
      return send()
    } catch (error) {
      held.release()
      // Fastify has given the answer, and has no use for another error.
      if (held.isTimedOut) return reply
      held.forgetAnswer()
      throw error
    }
  }
}
