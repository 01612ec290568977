import type { FastifyReply, FastifyRequest } from 'fastify'
import { serviceUnavailable } from '@leasehold/core'

/**
 * An error handler that answers 503 with Retry-After where no connection could be had, and leaves every other error to
 * the next error handler. For services that have switched `errors` off: `app.setErrorHandler(leaseholdErrorHandler)`.
 */
export function leaseholdErrorHandler(
  error: unknown,
  _request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply | Promise<never> {
  const answer = serviceUnavailable(error)
  if (answer !== undefined) return reply.code(503).header('retry-after', answer.retryAfter).send(answer.body)
  if (error instanceof Error) throw error
  // A thrown text would be sent as the answer. As a rejection it stays an error.
  // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- what was thrown is passed on as it is
  return Promise.reject(error)
}
