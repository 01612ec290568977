import type { IncomingMessage, ServerResponse } from 'node:http'
import { callable, checkOptions, type RulesFor, serviceUnavailable } from '@leasehold/core'

/** The options of `leaseholdErrors`. */
export interface LeaseholdErrorsOptions {
  /** Is told of each error that is answered, since no error handler after this one will be. Default: nobody. */
  readonly log?: ((error: unknown, request: IncomingMessage) => void) | undefined
}

/** An error handler of Express, told without Express: its types of version 4 and of 5 both take it. */
export type ErrorMiddleware = (
  error: unknown,
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

const RULES = { log: callable } satisfies RulesFor<LeaseholdErrorsOptions>

/** What a handler has said of the answer that it could not give. An error must not be cached in its place. */
const OF_ANOTHER_BODY: readonly string[] = [
  'accept-ranges',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-range',
  'etag',
  'expires',
  'last-modified',
  'transfer-encoding',
]

/**
 * Answers 503 with Retry-After where no connection could be had, and leaves every other error to the next error
 * handler: `app.use(leaseholdErrors())`, after the routes.
 *
 * @throws {InvalidOptionsError} naming all that is wrong with `options`.
 */
export function leaseholdErrors(options: LeaseholdErrorsOptions = {}): ErrorMiddleware {
  const { log } = checkOptions<LeaseholdErrorsOptions>('leaseholdErrors', options, RULES)
  // Four parameters: by their number Express knows an error handler.
  return (error, request, response, next) => {
    const answer = serviceUnavailable(error)
    // An answer that has begun can only be broken off, which is what Express does.
    if (answer === undefined || response.headersSent) {
      next(error)
      return
    }
    log?.(error, request)
    const body = JSON.stringify(answer.body)
    for (const header of OF_ANOTHER_BODY) response.removeHeader(header)
    response.statusCode = 503
    response.statusMessage = ''
    response.setHeader('retry-after', answer.retryAfter)
    response.setHeader('content-type', 'application/json; charset=utf-8')
    response.setHeader('content-length', Buffer.byteLength(body))
    response.end(body)
  }
}
