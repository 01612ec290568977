import type { ServerResponse } from 'node:http'
import { serviceUnavailable } from '@leasehold/core'
import { type ArgumentsHost, Catch, type ExceptionFilter, Inject, Logger } from '@nestjs/common'
import { HttpAdapterHost } from '@nestjs/core'

/** What the filter catches. Nest asks `instanceof`, so the errors of ORMs with ours among their causes are found too. */
// oxlint-disable-next-line typescript/no-extraneous-class -- a class is what Nest wants to be told
class NoConnectionNow {
  static [Symbol.hasInstance](error: unknown): boolean {
    return serviceUnavailable(error) !== undefined
  }
}

/**
 * Answers 503 with Retry-After where no connection could be had. The module registers it below all other global
 * filters, unless `errors` is false: then `@UseFilters(LeaseholdExceptionFilter)` puts it where it is wanted.
 */
export class LeaseholdExceptionFilter implements ExceptionFilter {
  readonly #logger = new Logger('Leasehold')
  readonly #host: HttpAdapterHost

  constructor(host: HttpAdapterHost) {
    this.#host = host
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const answer = serviceUnavailable(error)
    // Returning nothing leaves it to Nest: messages have no status, and GraphQL reports errors in its own way.
    if (answer === undefined || host.getType() !== 'http') return
    // Who holds the connections is for the logs alone.
    this.#logger.error(error)
    const response = host.switchToHttp().getResponse<ServerResponse & { readonly raw?: ServerResponse }>()
    // What middleware throws comes with Node's own response, on Fastify too; only `reply` of the platform takes both.
    const raw = response.raw ?? response
    if (raw.headersSent) {
      raw.end()
      return
    }
    raw.setHeader('Retry-After', answer.retryAfter)
    this.#host.httpAdapter.reply(response, answer.body, 503)
  }
}

Catch(NoConnectionNow)(LeaseholdExceptionFilter)
Inject(HttpAdapterHost)(LeaseholdExceptionFilter, undefined, 0)
