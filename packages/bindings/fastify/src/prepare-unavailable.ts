import type { onErrorHookHandler } from 'fastify'
import { serviceUnavailable, type ServiceUnavailable } from '@leasehold/core'

/** One error may end several requests, when they waited for one promise. */
const prepared = new WeakMap<Error, ServiceUnavailable>()

/**
 * Prepares the answer of a request that could not get a connection, before any error handler sees the error, and leaves
 * the answering to them: to the service's own, or to Fastify's.
 *
 * It is an `onError` hook because nothing else reaches all errors: an error handler set by a plugin would be in the way
 * of the service's own, and one set on each route would miss what hooks throw where no route matched.
 */
export const prepareUnavailable: onErrorHookHandler = (_request, reply, error, done) => {
  const answer = prepared.get(error) ?? serviceUnavailable(error)
  if (answer !== undefined) {
    reply.code(503).header('retry-after', answer.retryAfter)
    if (!prepared.has(error)) makeFitForClients(error, answer)
    prepared.set(error, answer)
  }
  done()
}

/**
 * Gives the error what error handlers make answers of. Its message goes to clients, by Fastify's error handler and by
 * most that people write, and says too much: labels, call sites, the query of an ORM. A hook cannot put another error
 * in its place, so the message is changed; for the logs it is kept as `fullMessage`, which no error handler sends.
 */
function makeFitForClients(error: Error, { body }: ServiceUnavailable): void {
  Reflect.set(error, 'fullMessage', error.message)
  Reflect.set(error, 'message', body.message)
  Reflect.set(error, 'statusCode', body.statusCode)
  if ((error as { readonly code?: unknown }).code === undefined) Reflect.set(error, 'code', body.code)
}
