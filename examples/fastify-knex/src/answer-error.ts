import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'

/** Answers errors: what the client can do something about as it is, and of everything else only that it happened. */
export function answerError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  // Its client has gone, and what it was doing was broken off: nobody reads the answer, and nothing is wrong.
  if (request.socket.destroyed) {
    request.log.info(`broken off, its client has gone: ${error.message}`)
    return reply.code(499).send()
  }
  const { statusCode = 500 } = error
  // No connection in time is a 503, which the leasehold plugin has prepared; Fastify makes the answer of it.
  if (statusCode < 500 || statusCode === 503) return reply.send(error)
  request.log.error(error)
  return reply.code(500).send({ statusCode: 500, error: 'Internal Server Error', message: 'This was not your fault.' })
}
