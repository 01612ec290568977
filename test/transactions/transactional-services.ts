import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { leasehold as leaseholdOfExpress, leaseholdErrors, transactional } from '@leasehold/express'
import { leasehold as leaseholdOfFastify } from '@leasehold/fastify'
import { LeaseholdModule, Transactional } from '@leasehold/nestjs'
import type { LeasedPgPool } from '@leasehold/pg'
import { Controller, Get, Module, Param } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import express5 from 'express'
import express4 from 'express4'
import fastify from 'fastify'

/** Is told the last part of the path, and returns the answer. */
export type Handler = (how: string) => Promise<string>

export interface Service {
  readonly port: number
  /** Ends the service and its pool. */
  close(): Promise<void>
}

export interface ServiceKind {
  readonly name: string
  /** @param deadlineMs of each request. */
  start(pool: LeasedPgPool, handler: Handler, deadlineMs?: number): Promise<Service>
}

/** Each framework, with one route whose handler runs in a transaction in the way of that framework. */
export const SERVICES: readonly ServiceKind[] = [
  { name: 'Fastify', start: startFastify },
  { name: 'Express 5', start: (...values) => startExpress(express5, ...values) },
  { name: 'Express 4', start: (...values) => startExpress(express4 as never, ...values) },
  { name: 'Nest on Express', start: (...values) => startNest(new ExpressAdapter(), ...values) },
  {
    name: 'Nest on Fastify',
    start: (...values) => startNest(new FastifyAdapter({ forceCloseConnections: true }) as never, ...values),
  },
]

async function startFastify(pool: LeasedPgPool, handler: Handler, deadlineMs?: number): Promise<Service> {
  const app = fastify({ forceCloseConnections: true })
  await app.register(leaseholdOfFastify, { pool, deadlineMs })
  const config = { leasehold: { transaction: true } }
  app.get<{ Params: { how: string } }>('/:how', { config }, ({ params }) => handler(params.how))
  await app.listen({ host: '127.0.0.1', port: 0 })
  return { port: (app.server.address() as AddressInfo).port, close: () => app.close() }
}

async function startExpress(
  express: typeof express5,
  pool: LeasedPgPool,
  handler: Handler,
  deadlineMs?: number,
): Promise<Service> {
  const app = express()
  app.set('env', 'test')
  const leases = leaseholdOfExpress({ pool, deadlineMs })
  app.use(leases)
  app.get(
    '/:how',
    transactional(async (req: express5.Request<{ how: string }>, res: express5.Response) => {
      res.send(await handler(req.params.how))
    }),
  )
  app.use(leaseholdErrors())
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, close: () => leases.close(server) }
}

async function startNest(
  adapter: ExpressAdapter,
  pool: LeasedPgPool,
  handler: Handler,
  deadlineMs?: number,
): Promise<Service> {
  @Controller()
  class Orders {
    @Get(':how')
    @Transactional()
    async answer(@Param('how') how: string): Promise<string> {
      return handler(how)
    }
  }

  @Module({ imports: [LeaseholdModule.forRoot({ pool, deadlineMs })], controllers: [Orders] })
  class ServiceModule {}

  const app = await NestFactory.create(ServiceModule, adapter, { logger: false, forceCloseConnections: true })
  await app.listen(0, '127.0.0.1')
  return { port: ((app.getHttpServer() as Server).address() as AddressInfo).port, close: () => app.close() }
}
