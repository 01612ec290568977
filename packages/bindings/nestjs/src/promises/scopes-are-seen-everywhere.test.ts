import { once } from 'node:events'
import { request, type Server } from 'node:http'
import { Readable } from 'node:stream'
import { createPool, currentScope, type Pool } from '@leasehold/core'
import { type FakeClient, FakeDriver } from '@leasehold/testkit'
import {
  type ArgumentsHost,
  type CanActivate,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  Injectable,
  type INestApplication,
  type MiddlewareConsumer,
  Module,
  type NestInterceptor,
  NotFoundException,
  Param,
  type PipeTransform,
  Post,
  Sse,
  StreamableFile,
  UseFilters,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { type Observable, of, tap } from 'rxjs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LeaseholdModule } from '../leasehold-module.js'
import type { LeaseholdRoute } from '@leasehold/core'
import { platforms, portOf } from './platforms.js'

/** Where the current request was, and in which scope. */
let seen: string[]

function see(where: string): void {
  seen.push(`${where}: ${currentScope()?.label}`)
}

@Injectable()
class Guard implements CanActivate {
  canActivate(): boolean {
    see('guard')
    return true
  }
}

class Interceptor implements NestInterceptor {
  intercept(_context: unknown, next: { handle(): Observable<unknown> }): Observable<unknown> {
    see('interceptor before')
    return next.handle().pipe(tap(() => see('interceptor after')))
  }
}

class Pipe implements PipeTransform {
  transform(value: string): string {
    see('pipe')
    return value
  }
}

@Catch(NotFoundException)
class Filter implements ExceptionFilter {
  catch(_error: unknown, host: ArgumentsHost): void {
    see('filter')
    const reply = host.switchToHttp().getResponse<{ status(code: number): { send(body: string): void } }>()
    reply.status(404).send('none')
  }
}

describe.each(platforms)('on $name', ({ create }) => {
  let pool: Pool<FakeClient>
  let app: INestApplication

  beforeEach(() => {
    seen = []
    pool = createPool(new FakeDriver())
  })
  afterEach(() => app.close())

  async function text(path: string, init?: RequestInit): Promise<string> {
    return (await fetch(`http://localhost:${portOf(app)}${path}`, init)).text()
  }

  @Controller('orders')
  class Orders {
    @Get(':id')
    @UseGuards(Guard)
    @UseInterceptors(Interceptor)
    read(@Param('id', Pipe) id: string): string {
      see('handler')
      return id
    }

    @Get(':id/lines')
    @UseFilters(Filter)
    lines(): never {
      throw new NotFoundException()
    }

    @Get(':id/file')
    file(): StreamableFile {
      return new StreamableFile(
        new Readable({
          read() {
            see('stream')
            this.push('rows')
            this.push(null)
          },
        }),
      )
    }

    @Sse(':id/events')
    events(): Observable<{ data: string }> {
      see('events')
      return of({ data: 'one' }).pipe(tap(() => see('event')))
    }

    @Post(':id')
    write(): string {
      see('handler')
      return 'written'
    }
  }

  const root = (options: object = {}) => LeaseholdModule.forRoot({ pool, ...options })

  it('middleware, guards, interceptors, pipes and handlers run in the scope of their request', async () => {
    @Module({ imports: [root()], controllers: [Orders] })
    class Service {
      configure(consumer: MiddlewareConsumer): void {
        const middleware = (_request: unknown, _response: unknown, next: () => void): void => {
          see('middleware')
          next()
        }
        consumer.apply(middleware).forRoutes('orders/:id')
      }
    }
    app = await create(Service)

    expect(await text('/orders/7')).toBe('7')
    // Express has not looked for the route yet when a middleware runs.
    expect(seen[0]).toMatch(/^middleware: GET (\(no route\)|\/orders\/:id)$/)
    expect(seen.slice(1)).toEqual([
      'guard: GET /orders/:id',
      'interceptor before: GET /orders/:id',
      'pipe: GET /orders/:id',
      'handler: GET /orders/:id',
      'interceptor after: GET /orders/:id',
    ])
  })

  it('so do filters, streamed files and server-sent events', async () => {
    @Module({ imports: [root()], controllers: [Orders] })
    class Service {}
    app = await create(Service)

    expect(await text('/orders/7/lines')).toBe('none')
    expect(await text('/orders/7/file')).toBe('rows')
    expect(await text('/orders/7/events')).toContain('data: one')
    expect(seen).toEqual([
      'filter: GET /orders/:id/lines',
      'stream: GET /orders/:id/file',
      'events: GET /orders/:id/events',
      'event: GET /orders/:id/events',
    ])
  })

  it('a request without a route has a scope of that name, which is not its url', async () => {
    @Module({ imports: [root()], controllers: [Orders] })
    class Service {}
    app = await create(Service, { prepare: (app) => app.useGlobalFilters(new Filter()) })

    expect(await text('/nowhere/8')).toBe('none')
    expect(seen).toEqual(['filter: GET (no route)'])
  })

  it('a global prefix and a version are part of the name', async () => {
    @Controller({ path: 'bills', version: '2' })
    class Bills {
      @Get(':id')
      read(): string | undefined {
        return currentScope()?.label
      }
    }
    @Module({ imports: [root()], controllers: [Bills, Orders] })
    class Service {}
    app = await create(Service, {
      prepare: (app) => app.setGlobalPrefix('api', { exclude: ['orders/:id'] }).enableVersioning(),
    })

    expect(await text('/api/v2/bills/1')).toBe('GET /api/v2/bills/:id')
    expect(seen).toEqual([])
    // A route that is excluded from the prefix is in a scope as well.
    await text('/orders/7', { method: 'POST' })
    expect(seen).toEqual(['handler: POST /orders/:id'])
  })

  it('a handler is in the scope even if a middleware lost it while it read the body', async () => {
    @Module({ imports: [root()], controllers: [Orders] })
    class Service {
      configure(consumer: MiddlewareConsumer): void {
        const reader = (_request: unknown, _response: unknown, next: () => void): void => late.push(next) as never
        consumer.apply(reader).forRoutes('orders/:id')
      }
    }
    const late: (() => void)[] = []
    app = await create(Service)

    const answer = text('/orders/7', { method: 'POST' })
    await vi.waitFor(() => expect(late).toHaveLength(1))
    // Called from the test, where no scope is.
    late[0]?.()

    expect(await answer).toBe('written')
    expect(seen).toEqual(['handler: POST /orders/:id'])
  })

  it('guards are in the scope of a request whose body comes late', async () => {
    @Controller()
    class Uploads {
      @Post('uploads')
      @UseGuards(Guard)
      write(): string {
        return 'written'
      }
    }
    @Module({ imports: [root()], controllers: [Uploads] })
    class Service {}
    app = await create(Service)
    const headers = { 'content-type': 'application/json', 'content-length': 21 }
    const arrived = once(app.getHttpServer() as Server, 'request')
    const sent = request({ port: portOf(app), path: '/uploads', method: 'POST', headers, agent: false })
    sent.write('{"order":')
    await arrived
    sent.end('"something"}')

    const [response] = await once(sent, 'response')
    response.resume()
    await once(response, 'end')
    expect(seen).toEqual(['guard: POST /uploads'])
  })

  it('scopes are called what the service calls them, and never fail of it', async () => {
    const label = vi.fn<(route: LeaseholdRoute) => string>(({ method, url }) => {
      if (method === 'POST') throw new Error('no name')
      return `shop ${url}`
    })
    @Module({ imports: [root({ label })], controllers: [Orders] })
    class Service {}
    app = await create(Service)

    await text('/orders/7')
    await text('/orders/8')
    await text('/orders/8', { method: 'POST' })

    expect(seen).toContain('handler: shop /orders/:id')
    expect(seen.at(-1)).toBe('handler: POST /orders/:id')
    // Asked once for each route and method.
    expect(label.mock.calls.filter(([{ method, url }]) => method === 'GET' && url !== undefined)).toHaveLength(1)
  })

  it('scopes have the mode, the priority and the deadline that the service gives them', async () => {
    @Controller()
    class Reports {
      @Get('report')
      read() {
        const scope = currentScope()
        return { mode: scope?.mode, priority: scope?.priority, left: (scope?.remainingMs() ?? 0) > 1_000 }
      }
    }
    @Module({ imports: [root({ mode: 'session', priority: 'low', deadlineMs: 60_000 })], controllers: [Reports] })
    class Service {}
    app = await create(Service)

    expect(JSON.parse(await text('/report'))).toEqual({ mode: 'session', priority: 'low', left: true })
  })
})

it('guards are in the scope on Fastify even if a hook calls back from outside of it', async () => {
  @Controller()
  class Uploads {
    @Post('uploads')
    @UseGuards(Guard)
    write(): string {
      return 'written'
    }
  }
  @Module({ imports: [LeaseholdModule.forRootAsync({ useFactory: () => ({ pool }) })], controllers: [Uploads] })
  class Service {}
  seen = []
  const pool = createPool(new FakeDriver())
  const late: (() => void)[] = []
  const app = await NestFactory.create<NestFastifyApplication>(Service, new FastifyAdapter(), { logger: false })
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('preParsing', (_request, _reply, _body, done) => void late.push(() => done()))
  await app.listen(0)

  const answer = fetch(`http://localhost:${portOf(app)}/uploads`, { method: 'POST' })
  await vi.waitFor(() => expect(late).toHaveLength(1))
  late[0]?.()

  expect(await (await answer).text()).toBe('written')
  expect(seen).toEqual(['guard: POST /uploads'])
  await app.close()
})
