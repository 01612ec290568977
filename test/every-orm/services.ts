import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { leasehold as leaseholdOfExpress, leaseholdErrors } from '@leasehold/express'
import { leasehold as leaseholdOfFastify } from '@leasehold/fastify'
import { LeaseholdModule } from '@leasehold/nestjs'
import type { LeasedPgPool } from '@leasehold/pg'
import { All, Controller, Module, Res } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import express5 from 'express'
import express4 from 'express4'
import fastify, { type FastifyReply } from 'fastify'

/** The answer to one request, on whichever framework. */
export interface Answer {
  /** The raw response: to be listened to. */
  readonly response: ServerResponse
  /** Takes the response out of the framework's hands: the handler answers by itself. */
  take(): ServerResponse
}

/** Returns the text to answer with, or undefined when it has answered by itself. */
export type Handler = (answer: Answer) => Promise<string | undefined>

/** A running service with one route, `/orders/:id`. */
export interface Service {
  readonly port: number
  /** Ends the service and its pool. */
  close(): Promise<void>
}

export interface ServiceKind {
  readonly name: string
  start(pool: LeasedPgPool, handler: Handler): Promise<Service>
}

export const SERVICES: readonly ServiceKind[] = [
  { name: 'Fastify', start: startFastify },
  { name: 'Express 5', start: (pool, handler) => startExpress(express5, pool, handler) },
  { name: 'Express 4', start: (pool, handler) => startExpress(express4 as never, pool, handler) },
  {
    name: 'Nest on Express',
    start: (pool, handler) => startNest(new ExpressAdapter(), pool, handler, (response) => response as ServerResponse),
  },
  {
    name: 'Nest on Fastify',
    start: (pool, handler) =>
      startNest(
        new FastifyAdapter({ forceCloseConnections: true }) as never,
        pool,
        handler,
        (response) => (response as FastifyReply).raw,
        (response) => (response as FastifyReply).hijack(),
      ),
  },
]

async function startFastify(pool: LeasedPgPool, handler: Handler): Promise<Service> {
  const app = fastify({ forceCloseConnections: true })
  await app.register(leaseholdOfFastify, { pool })
  app.route({
    method: ['GET', 'POST'],
    url: '/orders/:id',
    async handler(_request, reply) {
      const take = (): ServerResponse => reply.hijack().raw
      return (await handler({ response: reply.raw, take })) ?? reply
    },
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  return { port: (app.server.address() as AddressInfo).port, close: () => app.close() }
}

async function startExpress(express: typeof express5, pool: LeasedPgPool, handler: Handler): Promise<Service> {
  const app = express()
  app.set('env', 'test')
  const leases = leaseholdOfExpress({ pool })
  app.use(leases, express.text())
  app.all('/orders/:id', (_request, response, next) => {
    handler({ response, take: () => response }).then((text) => {
      if (text !== undefined) response.send(text)
    }, next)
  })
  app.use(leaseholdErrors())
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, close: () => leases.close(server) }
}

async function startNest(
  adapter: ExpressAdapter,
  pool: LeasedPgPool,
  handler: Handler,
  rawOf: (response: unknown) => ServerResponse,
  hijack: (response: unknown) => unknown = () => undefined,
): Promise<Service> {
  @Controller('orders')
  class Orders {
    @All(':id')
    async answer(@Res() response: { send(text: string): unknown }): Promise<void> {
      const raw = rawOf(response)
      const take = (): ServerResponse => {
        hijack(response)
        return raw
      }
      const text = await handler({ response: raw, take })
      if (text !== undefined) response.send(text)
    }
  }

  @Module({ imports: [LeaseholdModule.forRoot({ pool })], controllers: [Orders] })
  class ServiceModule {}

  const app = await NestFactory.create(ServiceModule, adapter, { logger: false, forceCloseConnections: true })
  await app.listen(0, '127.0.0.1')
  return { port: ((app.getHttpServer() as Server).address() as AddressInfo).port, close: () => app.close() }
}
