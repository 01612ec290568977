import { Refusal } from '@leasehold/example-orders'
import type { ErrorRequestHandler } from 'express'

/** Answers errors: what the client can do something about as it is, and of everything else only that it happened. */
export function answerError(log: boolean): ErrorRequestHandler {
  // Four parameters: by their number Express knows an error handler.
  return (error: unknown, request, response, _next) => {
    // Its client has gone, and what it was doing was broken off: nobody reads the answer, and nothing is wrong.
    if (request.socket.destroyed) return
    if (response.headersSent) {
      if (log) console.error(error)
      response.destroy()
    } else if (error instanceof Refusal) {
      response.status(error.statusCode).json(error.body)
    } else if (isBadRequest(error)) {
      response.status(error.status).json({ statusCode: error.status, code: 'BAD_INPUT', message: error.message })
    } else {
      if (log) console.error(error)
      response.status(500).json({ statusCode: 500, code: 'INTERNAL', message: 'This was not your fault.' })
    }
  }
}

/** A body that `express.json()` could not read. */
function isBadRequest(error: unknown): error is Error & { readonly status: number } {
  return error instanceof Error && 'status' in error && typeof error.status === 'number' && error.status < 500
}
