import type { IncomingMessage } from 'node:http'
import { PassThrough, type Writable } from 'node:stream'
import { currentScope } from '@leasehold/core'
import { type BindingExchange, type BindingRoute, describeBindingContract } from '@leasehold/testkit/contracts'
import { describe } from 'vitest'
import { Controller, Get, Module, Post, Req, Res } from '@nestjs/common'
import { platforms, portOf } from './promises/platforms.js'
import { LeaseholdModule } from './leasehold-module.js'
import type { LeaseholdWork } from './leasehold-options.js'
import { Transactional } from './transactional.js'

interface Reply {
  status(code: number): Reply
  send(body: unknown): void
}

describe.each(platforms)('on $name', ({ create }) => {
  describeBindingContract('@leasehold/nestjs', {
    hasTransactions: true,
    async start(pool, routes, { idleTimeoutMs, settings, ...options }) {
      const answer = (method: 'GET' | 'POST', exchange: Omit<BindingExchange, 'signal'>): Promise<void> | void => {
        const { handler } = routes.find((route) => route.method === method) as BindingRoute
        return handler({ signal: currentScope()?.signal ?? AbortSignal.abort(), ...exchange })
      }

      @Controller()
      class Orders {
        @Get('/orders/:id')
        read(@Res() reply: Reply) {
          return answer('GET', { body: '', ...answeredBy(reply) })
        }

        @Post('/orders/:id')
        write(@Req() { body }: { body: unknown }, @Res() reply: Reply) {
          return answer('POST', { body: typeof body === 'string' ? body : '', ...answeredBy(reply) })
        }
      }

      @Controller()
      class OrdersInTransactions {
        // With what a method has returned Nest answers once it is committed.
        @Get('/orders/:id')
        @Transactional(routes[0]?.transaction)
        async read(@Res({ passthrough: true }) response: Reply): Promise<string> {
          let text = ''
          const reply = (status: number, body: string): void => {
            response.status(status)
            text = body
          }
          await answer('GET', { body: '', reply, stream: () => streamTo(response) })
          return text
        }
      }

      const controllers = [routes[0]?.transaction === undefined ? Orders : OrdersInTransactions]
      const ofWork = settings && ((work: LeaseholdWork) => settings(requestOf(work)))

      @Module({ imports: [LeaseholdModule.forRoot({ pool, settings: ofWork, ...options })], controllers })
      class Service {}

      const app = await create(Service, { idleTimeoutMs })
      return { port: portOf(app), stop: () => app.close() }
    },
  })
})

function requestOf(work: LeaseholdWork): IncomingMessage {
  if (work.type === 'message') throw new Error('there are no messages here')
  return work.request as IncomingMessage
}

function answeredBy(reply: Reply): Pick<BindingExchange, 'reply' | 'stream'> {
  return { reply: (status, text) => reply.status(status).send(text), stream: () => streamTo(reply) }
}

/** A response of Express is a stream; Fastify wants to be sent one. */
function streamTo(reply: Reply): Writable {
  if ('write' in reply) return reply as Reply & Writable
  const body = new PassThrough()
  reply.send(body)
  return body
}
