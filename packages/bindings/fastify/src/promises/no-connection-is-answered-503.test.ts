import { AcquireTimeoutError, findLeaseholdError } from '@leasehold/core'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { describe, expect, it, vi } from 'vitest'
import { leaseholdErrorHandler } from '../leasehold-error-handler.js'
import { useService } from './use-service.js'

const BODY = {
  statusCode: 503,
  error: 'Service Unavailable',
  code: 'LEASEHOLD_ACQUIRE_TIMEOUT',
  message: 'The service cannot answer at the moment: try again in 1 s',
}

describe('a request that gets no connection', () => {
  const service = useService()
  const query = async (): Promise<string> => service.pool.use((client) => client.query('select'))
  const wrapped = async (): Promise<string> =>
    query().catch((cause: unknown) => {
      throw new Error("Failed query: select * from users where name = 'Ada'", { cause })
    })

  /** A service all of whose connections are lent to a holder that clients must not hear of. */
  async function busy(routes: (app: FastifyInstance) => unknown, plugin: { errors?: boolean } = {}): Promise<void> {
    await service.start(routes, { plugin, pool: { max: 1, acquireTimeoutMs: 10, captureSites: 'always' } })
    await service.pool.acquire({ label: 'the secret holder' })
  }

  it.each([
    ['the pool’s error', query],
    ['an error that wraps it', wrapped],
  ])('is answered 503 with Retry-After and no word of who holds them, for %s', async (_, handler) => {
    await busy((app) => app.get('/', handler))

    const { status, headers, body } = await service.get('/')

    expect(status).toBe(503)
    expect(headers['retry-after']).toBe('1')
    expect(JSON.parse(body)).toEqual(BODY)
  })

  it.each<[string, (app: FastifyInstance) => unknown]>([
    ['where no route matched', (app) => app.addHook('onRequest', async () => void (await query()))],
    ['in the handler for what was not found', (app) => app.setNotFoundHandler(async () => query())],
    [
      'when a route passes on to that handler',
      (app) => {
        app.setNotFoundHandler(async () => wrapped())
        app.get('/', (_request, reply) => reply.callNotFound())
      },
    ],
    ['in a plugin of the service', (app) => app.register(async (orders) => orders.get('/', wrapped))],
  ])('is answered the same %s', async (_, routes) => {
    await busy(routes)

    const { status, headers, body } = await service.get('/')

    expect([status, headers['retry-after'], JSON.parse(body)]).toEqual([503, '1', BODY])
  })

  it('is answered the same on a route that was declared before the plugin was loaded', async () => {
    await service.start(() => {}, {
      pool: { max: 1, acquireTimeoutMs: 10 },
      before: (app) => app.get('/', wrapped),
    })
    await service.pool.acquire()

    expect(JSON.parse((await service.get('/')).body)).toEqual(BODY)
  })

  it('is answered so when the queue is full', async () => {
    await service.start((app) => app.get('/', query), { pool: { max: 1, maxWaiting: 0 } })
    service.pool.pause()

    expect(JSON.parse((await service.get('/')).body)).toEqual({ ...BODY, code: 'LEASEHOLD_QUEUE_FULL' })
  })

  it('is answered so when the database cannot be reached', async () => {
    await service.start((app) => app.get('/', query))
    service.driver.script.next('connect', 'error')

    expect(JSON.parse((await service.get('/')).body)).toEqual({ ...BODY, code: 'LEASEHOLD_CONNECT_FAILED' })
  })

  it('reaches the service’s own error handler, which has the last word and finds the status set', async () => {
    const seen: unknown[] = []
    await busy((app) => {
      app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
        seen.push(error.statusCode, reply.statusCode, findLeaseholdError(error) instanceof AcquireTimeoutError)
        return reply.code(error.statusCode ?? 500).send({ sorry: error.message })
      })
      app.get('/', wrapped)
      app.get('/own', { errorHandler: (_error, _request, reply) => void reply.code(418).send('own') }, query)
    })

    const { status, headers, body } = await service.get('/')

    expect([status, headers['retry-after'], JSON.parse(body)]).toEqual([503, '1', { sorry: BODY.message }])
    expect(seen).toEqual([503, 503, true])
    expect(await service.get('/own')).toMatchObject({ status: 418, body: 'own' })
  })

  it('leaves all that is known to the log', async () => {
    const lines: string[] = []
    await service.start((app) => app.get('/', query), {
      pool: { max: 1, acquireTimeoutMs: 10 },
      server: { logger: { level: 'error', stream: { write: (line: string) => void lines.push(line) } } },
    })
    await service.pool.acquire({ label: 'the secret holder' })

    await service.get('/')

    expect(lines).toHaveLength(1)
    const { err } = JSON.parse(lines[0] ?? '') as { err: Record<string, unknown> }
    expect(err['fullMessage']).toContain('held by the secret holder')
    expect(err).toMatchObject({ code: BODY.code, waiting: 0, limit: 1, holders: [{ label: 'the secret holder' }] })
  })

  it('is answered the same when one error ends several requests', async () => {
    let shared: Promise<string> | undefined
    await busy((app) => app.get('/', async () => (shared ??= wrapped())))

    const answers = await Promise.all([service.get('/'), service.get('/')])
    answers.push(await service.get('/'))

    for (const { status, headers, body } of answers) {
      expect([status, headers['retry-after'], JSON.parse(body)]).toEqual([503, '1', BODY])
    }
    await expect(shared).rejects.toMatchObject({ fullMessage: expect.stringContaining('Failed query') as string })
  })

  it('is answered as an error says that brings another status', async () => {
    await busy((app) =>
      app.get('/', async () =>
        query().catch((cause: unknown) => {
          throw Object.assign(new Error('no tea', { cause }), { statusCode: 418 })
        }),
      ),
    )

    const { status, headers, body } = await service.get('/')

    expect([status, headers['retry-after']]).toEqual([418, undefined])
    expect(JSON.parse(body)).toMatchObject({ message: 'no tea' })
  })

  it('is left alone when its answer has begun', async () => {
    await busy((app) =>
      app.get('/', async (_request, reply) => {
        reply.raw.writeHead(200)
        reply.raw.write('the first row')
        reply.raw.end()
        await query()
      }),
    )

    expect(await service.get('/')).toMatchObject({ status: 200, body: 'the first row' })
  })

  it('is answered by Fastify alone where `errors` is false', async () => {
    await busy((app) => app.get('/', wrapped), { errors: false })

    const { status, headers } = await service.get('/')

    expect([status, headers['retry-after']]).toEqual([500, undefined])
  })

  describe('and leaseholdErrorHandler', () => {
    it('is answered the same', async () => {
      await busy(
        (app) => {
          app.setErrorHandler(leaseholdErrorHandler)
          app.get('/', wrapped)
        },
        { errors: false },
      )

      const { status, headers, body } = await service.get('/')

      expect([status, headers['retry-after'], JSON.parse(body)]).toEqual([503, '1', BODY])
    })

    it.each<[string, unknown]>([
      ['an error', Object.assign(new Error('no tea'), { statusCode: 418 })],
      ['a text', 'no tea'],
      ['null', null],
    ])('leaves %s to the next error handler', async (_, thrown) => {
      const throwIt = async (): Promise<never> => {
        // oxlint-disable-next-line typescript/only-throw-error -- anything can be thrown
        throw thrown
      }
      await busy(
        (app) => {
          app.get('/fastify', throwIt)
          app.register(async (guarded) => {
            guarded.setErrorHandler(leaseholdErrorHandler)
            guarded.get('/guarded', throwIt)
          })
        },
        { errors: false },
      )

      const [expected, { status, body }] = [await service.get('/fastify'), await service.get('/guarded')]

      expect({ status, body }).toEqual({ status: expected.status, body: expected.body })
    })
  })
})

describe('an error of another kind', () => {
  const service = useService()

  it.each([
    ['an error', new Error('of the handler')],
    ['a text', 'of the handler'],
    ['nothing', undefined],
  ])('is answered as without the plugin: %s', async (_, thrown) => {
    const throwIt = async (): Promise<never> => {
      // oxlint-disable-next-line typescript/only-throw-error -- anything can be thrown
      throw thrown
    }
    const answers: unknown[] = []
    for (const errors of [true, false]) {
      await service.start((app) => app.get('/', throwIt), { plugin: { errors } })
      const { status, body } = await service.get('/')
      answers.push({ status, body })
      if (errors) await service.stop()
    }

    expect(answers[0]).toEqual(answers[1])
  })

  it('keeps its message, and a closed pool is a fault of the service', async () => {
    const seen: FastifyRequest[] = []
    await service.start((app) => app.get('/', async (request) => (seen.push(request), service.pool.acquire())))
    await service.pool.close()

    const { status, body } = await service.get('/')

    expect([status, JSON.parse(body)]).toMatchObject([500, { code: 'LEASEHOLD_POOL_CLOSED' }])
    await vi.waitFor(() => expect(seen[0]?.leasehold.scope.isOpen).toBe(false))
  })
})
