import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'

/** Answers errors: what the client can do something about as it is, and of everything else only that it happened. */
export function answerError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { statusCode = 500 } = error
  // No connection in time is a 503, which the leasehold plugin has prepared; Fastify makes the answer of it.
  if (statusCode < 500 || statusCode === 503) return reply.send(error)
  request.log.error(error)
  return reply.code(500).send({ statusCode: 500, error: 'Internal Server Error', message: 'This was not your fault.' })
}
