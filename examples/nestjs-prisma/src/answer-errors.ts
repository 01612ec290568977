import type { IncomingMessage, ServerResponse } from 'node:http'
import { serviceUnavailable } from '@leasehold/core'
import { Refusal } from '@leasehold/example-orders'
import { type ArgumentsHost, Catch, HttpException, ServiceUnavailableException } from '@nestjs/common'
import { BaseExceptionFilter } from '@nestjs/core'

/** Answers errors: what the client can do something about as it is, and of everything else only that it happened. */
@Catch()
export class AnswerErrors extends BaseExceptionFilter {
  override catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp()
    // Its client has gone, and what it was doing was broken off: nobody reads the answer, and nothing is wrong.
    if (http.getRequest<IncomingMessage>().socket.destroyed) return
    // A filter for all errors also gets those for which the module would have answered 503.
    const noConnection = serviceUnavailable(error)
    if (noConnection !== undefined) http.getResponse<ServerResponse>().setHeader('retry-after', noConnection.retryAfter)
    // oxlint-disable-next-line promise/valid-params, promise/no-promise-in-callback -- it is no promise
    super.catch(answerFor(error, noConnection?.body), host)
  }
}

function answerFor(error: unknown, noConnection: object | undefined): unknown {
  if (noConnection !== undefined) return new ServiceUnavailableException(noConnection)
  return error instanceof Refusal ? new HttpException(error.body, error.statusCode) : error
}
