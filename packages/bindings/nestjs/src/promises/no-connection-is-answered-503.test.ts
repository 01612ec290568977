import { createPool, type Pool } from '@leasehold/core'
import { FakeDriver, type FakeClient } from '@leasehold/testkit'
import {
  type ArgumentsHost,
  type CanActivate,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  HttpException,
  type INestApplication,
  Logger,
  type MiddlewareConsumer,
  Module,
  type Provider,
  Res,
  ServiceUnavailableException,
  UseFilters,
  UseGuards,
} from '@nestjs/common'
import { APP_FILTER, BaseExceptionFilter } from '@nestjs/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { serviceUnavailable } from '../index.js'
import { LeaseholdExceptionFilter } from '../leasehold-exception-filter.js'
import { LeaseholdModule } from '../leasehold-module.js'
import { platforms, portOf } from './platforms.js'

const UNAVAILABLE = {
  statusCode: 503,
  error: 'Service Unavailable',
  code: 'LEASEHOLD_ACQUIRE_TIMEOUT',
  message: 'The service cannot answer at the moment: try again in 1 s',
}

interface Reply {
  status(code: number): { send(body: unknown): void }
}

describe.each(platforms)('on $name', ({ create }) => {
  let pool: Pool<FakeClient>
  let app: INestApplication

  beforeEach(async () => {
    pool = createPool(new FakeDriver(), { max: 1, acquireTimeoutMs: 0, name: 'shop' })
    await pool.acquire({ label: 'somebody with a secret' })
  })
  afterEach(async () => {
    vi.restoreAllMocks()
    await app.close()
  })

  const query = (): Promise<string> => pool.use((client) => client.query('select'))
  const wrapped = (): Promise<string> =>
    query().catch((cause: unknown) => {
      throw new Error('of an ORM', { cause })
    })

  class Guard implements CanActivate {
    async canActivate(): Promise<boolean> {
      await wrapped()
      return true
    }
  }

  @Controller()
  class Orders {
    @Get('plain')
    plain() {
      return query()
    }

    @Get('wrapped')
    wrapped() {
      return wrapped()
    }

    @Get('guarded')
    @UseGuards(new Guard())
    guarded() {
      return 'never'
    }

    @Get('broken')
    broken() {
      throw new HttpException('a teapot', 418)
    }

    @Get('own')
    @UseFilters(LeaseholdExceptionFilter)
    own() {
      return wrapped()
    }

    @Get('begun')
    begun(@Res() reply: { raw?: NodeJS.WritableStream; write?: (text: string) => void }) {
      const stream = (reply.raw ?? reply) as NodeJS.WritableStream
      stream.write('the first row')
      return wrapped()
    }
  }

  async function serve(
    options: object = {},
    prepare: (app: INestApplication) => void = () => {},
    providers: Provider[] = [],
  ): Promise<void> {
    @Module({
      imports: [LeaseholdModule.forRoot({ pool, closeDeadlineMs: 0, ...options })],
      controllers: [Orders],
      providers,
    })
    class Service {
      configure(consumer: MiddlewareConsumer): void {
        const middleware = async (_request: unknown, _response: unknown, next: () => void): Promise<void> => {
          await wrapped()
          next()
        }
        consumer.apply(middleware).forRoutes('middleware')
      }
    }
    app = await create(Service, { prepare })
  }

  async function answerTo(path: string) {
    const response = await fetch(`http://localhost:${portOf(app)}/${path}`)
    const body = await response.text()
    return { status: response.status, retryAfter: response.headers.get('retry-after'), body }
  }

  it.each(['plain', 'wrapped', 'guarded', 'middleware'])(
    'a request without a connection is told when to come back, and nothing of who has them: %s',
    async (path) => {
      const logged = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => {})
      await serve()

      const { status, retryAfter, body } = await answerTo(path)

      expect({ status, retryAfter, body: JSON.parse(body) }).toEqual({
        status: 503,
        retryAfter: '1',
        body: UNAVAILABLE,
      })
      // The log has it all.
      expect(logged).toHaveBeenCalledOnce()
    },
  )

  it('every other error is left alone', async () => {
    await serve()

    expect(await answerTo('broken')).toMatchObject({ status: 418, retryAfter: null })
  })

  it('a filter of the service that wants these errors has them, wherever it is registered', async () => {
    @Catch()
    class CatchAll implements ExceptionFilter {
      catch(error: unknown, host: ArgumentsHost) {
        host.switchToHttp().getResponse<Reply>().status(507).send(serviceUnavailable(error)?.body.code)
      }
    }
    const ways: [(app: INestApplication) => void, Provider[]][] = [
      [(app) => app.useGlobalFilters(new CatchAll()), []],
      [() => {}, [{ provide: APP_FILTER, useClass: CatchAll }]],
    ]
    for (const [prepare, providers] of ways) {
      await serve({}, prepare, providers)
      expect(await answerTo('wrapped')).toMatchObject({ status: 507, body: 'LEASEHOLD_ACQUIRE_TIMEOUT' })
      // The service is closed, and its pool with it: the next one needs a living one.
      await app.close()
      pool = createPool(new FakeDriver(), { max: 1, acquireTimeoutMs: 0 })
      await pool.acquire()
    }
  })

  it('a filter of the service for every error answers as ours would, as the README says', async () => {
    vi.spyOn(Logger.prototype, 'error').mockImplementation(() => {})
    @Catch()
    class EveryError extends BaseExceptionFilter {
      override catch(error: unknown, host: ArgumentsHost): void {
        const answer = serviceUnavailable(error)
        const response = host.switchToHttp().getResponse<{ header(name: string, value: string): unknown }>()
        if (answer !== undefined) response.header('retry-after', String(answer.retryAfter))
        // oxlint-disable-next-line promise/valid-params, promise/no-promise-in-callback -- it is no promise
        super.catch(answer === undefined ? error : new ServiceUnavailableException(answer.body, { cause: error }), host)
      }
    }
    await serve({}, (app) => app.useGlobalFilters(new EveryError(app.getHttpAdapter())))

    const { status, body, retryAfter } = await answerTo('wrapped')

    expect({ status, body: JSON.parse(body) }).toEqual({ status: 503, body: UNAVAILABLE })
    expect(retryAfter).toBe('1')
    expect(await answerTo('broken')).toMatchObject({ status: 418 })
  })

  it('a filter that hands everything to Nest’s own tells clients nothing of who has the connections', async () => {
    vi.spyOn(Logger.prototype, 'error').mockImplementation(() => {})
    @Catch()
    class Reporting extends BaseExceptionFilter {}
    await serve({}, (app) => app.useGlobalFilters(new Reporting(app.getHttpAdapter())))

    const { body } = await answerTo('plain')

    // Nest 11 answers what an error's own status is called, Nest 12 that it is an internal one.
    expect(['Service Unavailable', 'Internal server error']).toContain(
      (JSON.parse(body) as { message: string }).message,
    )
  })

  it('a filter of the service for other errors is not in the way', async () => {
    @Catch(HttpException)
    class Teapots implements ExceptionFilter {
      catch(_error: unknown, host: ArgumentsHost) {
        host.switchToHttp().getResponse<Reply>().status(418).send('short and stout')
      }
    }
    vi.spyOn(Logger.prototype, 'error').mockImplementation(() => {})
    await serve({}, (app) => app.useGlobalFilters(new Teapots()))

    expect(await answerTo('broken')).toMatchObject({ status: 418, body: 'short and stout' })
    expect(await answerTo('wrapped')).toMatchObject({ status: 503, retryAfter: '1' })
  })

  it('a service can do without, and put the filter where it wants it', async () => {
    vi.spyOn(Logger.prototype, 'error').mockImplementation(() => {})
    await serve({ errors: false })

    expect(await answerTo('wrapped')).toMatchObject({ status: 500, retryAfter: null })
    expect(await answerTo('own')).toMatchObject({ status: 503, retryAfter: '1' })
  })

  it('an answer that has begun is ended', async () => {
    vi.spyOn(Logger.prototype, 'error').mockImplementation(() => {})
    await serve()

    expect(await answerTo('begun').catch(() => 'broken off')).toMatchObject({ status: 200, body: 'the first row' })
  })
})
