import type { AddressInfo } from 'node:net'
import { PassThrough } from 'node:stream'
import { describeBindingContract } from '@leasehold/testkit/contracts'
import fastify from 'fastify'
import { leasehold } from './leasehold.js'

describeBindingContract('@leasehold/fastify', {
  hasTransactions: true,
  async start(pool, routes, { idleTimeoutMs, ...options }) {
    const app = fastify({ forceCloseConnections: true, connectionTimeout: idleTimeoutMs ?? 0 })
    await app.register(leasehold, { pool, ...options })
    for (const { method, path, handler, transaction } of routes) {
      app.route({
        method,
        url: path,
        config: transaction === undefined ? {} : { leasehold: { transaction } },
        handler: async (request, reply) => {
          await handler({
            signal: request.leasehold.scope.signal,
            body: typeof request.body === 'string' ? request.body : '',
            reply: (status, body) => void reply.code(status).send(body),
            stream: () => {
              const body = new PassThrough()
              void reply.send(body)
              return body
            },
          })
          return reply
        },
      })
    }
    await app.listen({ port: 0 })
    return { port: (app.server.address() as AddressInfo).port, stop: () => app.close() }
  },
})
