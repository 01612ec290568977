import { once } from 'node:events'
import type { AddressInfo, Server } from 'node:net'
import { createPool, currentScope, type Pool, runInScope, type Scope } from '@leasehold/core'
import { type FakeClient, FakeDriver, Gate } from '@leasehold/testkit'
import {
  Controller,
  type INestApplication,
  type INestMicroservice,
  Logger,
  Module,
  UseInterceptors,
} from '@nestjs/common'
import { ExternalContextCreator, NestFactory } from '@nestjs/core'
import {
  type ClientProxy,
  ClientProxyFactory,
  type CustomTransportStrategy,
  MessagePattern,
  Payload,
  Server as TransportServer,
  Transport,
} from '@nestjs/microservices'
import { WsAdapter } from '@nestjs/platform-ws'
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets'
import { concat, defer, firstValueFrom, from, type Observable, toArray } from 'rxjs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { LeaseholdInterceptor } from '../leasehold-interceptor.js'
import { LeaseholdModule } from '../leasehold-module.js'
import { platforms, portOf } from './platforms.js'

const tcp = { transport: Transport.TCP as const, options: { port: 0 } }

let pool: Pool<FakeClient>
let scopes: Scope[]

beforeEach(() => {
  pool = createPool(new FakeDriver(), { max: 2, closeGraceMs: 20 })
  scopes = []
})

/** Borrows, and forgets to give back. */
async function borrow(): Promise<string> {
  const scope = currentScope()
  if (scope !== undefined) scopes.push(scope)
  const lease = await pool.acquire()
  await lease.client.query('select')
  return `${scope?.label}`
}

async function allIsBack(messages: number): Promise<void> {
  await vi.waitFor(() => {
    expect(scopes.map((scope) => scope.isOpen)).toEqual(Array.from({ length: messages }, () => false))
    expect(new Set(scopes).size).toBe(messages)
    expect(pool.snapshot().connections.lent).toBe(0)
  })
}

describe('a message of a microservice', () => {
  let service: INestMicroservice
  let client: ClientProxy

  @Controller()
  class Orders {
    @MessagePattern('read')
    read() {
      return borrow()
    }

    @MessagePattern('many')
    many(@Payload() count: number): Observable<string> {
      return concat(
        ...Array.from({ length: count }, (_, number) => defer(() => from(borrow().then(() => `${number}`)))),
      )
    }

    @MessagePattern('fail')
    async fail() {
      await borrow()
      throw new Error('of the handler')
    }
  }

  @Module({
    imports: [LeaseholdModule.forRootAsync({ useFactory: () => ({ pool, deadlineMs: 60_000 }) })],
    controllers: [Orders],
  })
  class Service {}

  beforeEach(async () => {
    service = await NestFactory.createMicroservice(Service, { ...tcp, logger: false, abortOnError: false })
    await service.listen()
    client = clientOf(service)
  })
  afterEach(async () => {
    await client.close()
    await service.close()
  })

  const send = <Answer>(pattern: string, data: unknown = {}): Promise<Answer> =>
    firstValueFrom(client.send<Answer>(pattern, data))

  it('has a scope named after its handler, which ends with the answer', async () => {
    expect(await send('read')).toBe('rpc Orders.read')
    expect(await send('read')).toBe('rpc Orders.read')

    await allIsBack(2)
    expect(scopes[0]?.deadlineAt).toBeLessThan(Number.POSITIVE_INFINITY)
  })

  it('keeps its scope until the last of many answers', async () => {
    const answers = await firstValueFrom(client.send<string>('many', 2).pipe(toArray()))

    expect(answers).toEqual(['0', '1'])
    expect(scopes[0]).toBe(scopes[1])
    expect(scopes).toHaveLength(2)
    scopes.pop()
    await allIsBack(1)
  })

  it('is a unit of work of its own, even where a request started the consumer', async () => {
    const consumer = new InProcess()
    const other = await NestFactory.createMicroservice(Service, { strategy: consumer, logger: false })
    await other.listen()

    const label = await runInScope({ label: 'GET /start', mode: 'session' }, () => consumer.receive('read'))

    expect(label).toBe('rpc Orders.read')
    expect(scopes[0]?.mode).toBeUndefined()
    await allIsBack(1)
    await other.close()
  })

  it('gives back what it held when its handler fails', async () => {
    await expect(send('fail')).rejects.toMatchObject({ message: 'Internal server error' })

    await allIsBack(1)
  })
})

describe('a service that answers both requests and messages', () => {
  it('gives each its own, and its error filter keeps out of messages', async () => {
    @Controller()
    class Orders {
      @MessagePattern('starve')
      starve() {
        return pool.acquire({ timeoutMs: 0 })
      }

      @MessagePattern('read')
      read() {
        return borrow()
      }
    }
    @Module({ imports: [LeaseholdModule.forRoot({ pool, closeDeadlineMs: 0 })], controllers: [Orders] })
    class Service {}
    const app = await NestFactory.create(Service, { logger: false, abortOnError: false })
    // In this order the filter is known when the handlers of messages are made.
    await app.listen(0)
    const service = app.connectMicroservice(tcp, { inheritAppConfig: true })
    await app.startAllMicroservices()
    const client = clientOf(service)

    expect(await firstValueFrom(client.send('read', {}))).toBe('rpc Orders.read')
    await allIsBack(1)
    await Promise.all([pool.acquire(), pool.acquire()])
    const logged = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => {})
    const internal = { status: 'error', message: 'Internal server error' }
    await expect(firstValueFrom(client.send('starve', {}))).rejects.toEqual(internal)
    // Nest's own handler logs it; our filter would have done so under its name.
    expect(logged.mock.calls).toEqual([[expect.objectContaining({ code: 'LEASEHOLD_ACQUIRE_TIMEOUT' })]])
    expect(logged.mock.contexts).not.toEqual([expect.objectContaining({ context: 'Leasehold' })])

    logged.mockRestore()
    await client.close()
    await app.close()
  })
})

describe('a resolver of GraphQL', () => {
  class Orders {
    read() {
      return borrow()
    }
  }

  @Module({ imports: [LeaseholdModule.forRootAsync({ useFactory: () => ({ pool }) })], providers: [Orders] })
  class Service {}

  it('runs in the scope of its request, or in one of its own where there is none', async () => {
    const app = await NestFactory.create(Service, { logger: false, abortOnError: false })
    await app.init()
    const orders = app.get(Orders)
    // What the GraphQL module makes its resolvers with.
    const creator = app.get(ExternalContextCreator)
    const options = { guards: true, interceptors: true, filters: true }
    const context = [undefined, undefined, undefined, undefined, options, 'graphql'] as const
    const resolve = creator.create(orders, orders.read, 'read', ...context)

    const both = await runInScope({ label: 'POST /graphql' }, () => Promise.all([resolve(), resolve()]))
    expect(both).toEqual(['POST /graphql', 'POST /graphql'])
    expect(scopes[0]).toBe(scopes.pop())
    expect(await resolve()).toBe('graphql Orders.read')
    await allIsBack(2)

    await app.close()
  })
})

describe.each(platforms)('a message of a websocket, on $name', ({ create }) => {
  let app: INestApplication
  let socket: WebSocket
  afterEach(async () => {
    socket.terminate()
    await app.close()
  })

  it('has a scope of its own, which outlives neither the message nor its socket', async () => {
    const held = new Gate()

    @WebSocketGateway()
    @UseInterceptors(LeaseholdInterceptor)
    class Feed {
      @SubscribeMessage('read')
      async read(@MessageBody() text: string) {
        return { event: 'answer', data: `${text} ${await borrow()}` }
      }

      @SubscribeMessage('wait')
      async wait() {
        await borrow()
        await held.promise
      }
    }
    @Module({ imports: [LeaseholdModule.forRoot({ pool })], providers: [Feed] })
    class Service {}
    app = await create(Service, { prepare: (app) => app.useWebSocketAdapter(new WsAdapter(app)) })
    socket = new WebSocket(`ws://localhost:${portOf(app)}`)
    await once(socket, 'open')
    const ask = async (event: string, data: string): Promise<unknown> => {
      const answer = once(socket, 'message')
      socket.send(JSON.stringify({ event, data }))
      const [message] = (await answer) as [Buffer]
      return (JSON.parse(message.toString('utf8')) as { data: unknown }).data
    }

    // While the socket is open and nobody asks, nothing is held.
    expect(pool.snapshot().connections.total).toBe(0)
    expect(await ask('read', 'first')).toBe('first ws Feed.read')
    expect(await ask('read', 'second')).toBe('second ws Feed.read')
    await allIsBack(2)

    socket.send(JSON.stringify({ event: 'wait' }))
    await vi.waitFor(() => expect(pool.snapshot().connections.lent).toBe(1))
    socket.terminate()
    await allIsBack(3)
    held.open()
  })
})

/** A transport whose messages come from whoever calls it, in the caller's context. */
class InProcess extends TransportServer implements CustomTransportStrategy {
  listen(callback: () => void): void {
    callback()
  }

  close(): void {}

  override on(): void {}

  override unwrap(): never {
    throw new Error('there is nothing to unwrap')
  }

  async receive(pattern: string): Promise<unknown> {
    const handler = this.getHandlerByPattern(pattern)
    if (handler === null) throw new Error(`nobody handles ${pattern}`)
    return firstValueFrom(this.transformToObservable(await handler({})))
  }
}

function clientOf(service: INestMicroservice): ClientProxy {
  const { port } = service.unwrap<Server>().address() as AddressInfo
  return ClientProxyFactory.create({ transport: Transport.TCP, options: { port } })
}
