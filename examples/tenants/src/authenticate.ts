import type { preHandlerAsyncHookHandler } from 'fastify'

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose request it is, once that is known. */
    tenant: string | undefined
  }
}

/** Lets a request in that says whose it is. Here a token is a name; a real one is looked up, or has a signature. */
export const authenticate: preHandlerAsyncHookHandler = async (request, reply) => {
  const [, tenant] = /^Bearer token-of-(\w+)$/.exec(request.headers.authorization ?? '') ?? []
  request.tenant = tenant
  return tenant === undefined ? reply.code(401).send({ statusCode: 401, error: 'Unauthorized' }) : undefined
}
