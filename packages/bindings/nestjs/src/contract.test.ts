import type { IncomingMessage } from 'node:http'
import { PassThrough, type Writable } from 'node:stream'
import { currentScope } from '@leasehold/core'
import { type BindingRoute, describeBindingContract } from '@leasehold/testkit/contracts'
import { describe } from 'vitest'
import { Controller, Get, Module, Post, Req, Res } from '@nestjs/common'
import { platforms, portOf } from './promises/platforms.js'
import { LeaseholdModule } from './leasehold-module.js'
import type { LeaseholdWork } from './leasehold-options.js'

interface Reply {
  status(code: number): Reply
  send(body: unknown): void
}

describe.each(platforms)('on $name', ({ create }) => {
  describeBindingContract('@leasehold/nestjs', {
    async start(pool, routes, idleTimeoutMs, settings) {
      function answer(method: 'GET' | 'POST', body: unknown, reply: Reply): Promise<void> | void {
        const route = routes.find((route) => route.method === method)
        return (route as BindingRoute).handler({
          signal: currentScope()?.signal ?? AbortSignal.abort(),
          body: typeof body === 'string' ? body : '',
          reply: (status, text) => reply.status(status).send(text),
          stream: () => streamTo(reply),
        })
      }

      @Controller()
      class Orders {
        @Get('/orders/:id')
        read(@Res() reply: Reply) {
          return answer('GET', undefined, reply)
        }

        @Post('/orders/:id')
        write(@Req() { body }: { body: unknown }, @Res() reply: Reply) {
          return answer('POST', body, reply)
        }
      }

      const ofWork = settings && ((work: LeaseholdWork) => settings(requestOf(work)))

      @Module({ imports: [LeaseholdModule.forRoot({ pool, settings: ofWork })], controllers: [Orders] })
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

/** A response of Express is a stream; Fastify wants to be sent one. */
function streamTo(reply: Reply): Writable {
  if ('write' in reply) return reply as Reply & Writable
  const body = new PassThrough()
  reply.send(body)
  return body
}
