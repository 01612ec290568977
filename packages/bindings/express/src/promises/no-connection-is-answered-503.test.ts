import { InvalidOptionsError } from '@leasehold/core'
import type { Express } from 'express'
import { describe, expect, it, vi } from 'vitest'
import { leaseholdErrors, type LeaseholdErrorsOptions } from '../leasehold-errors.js'
import { handle, useService } from './use-service.js'
import { versions } from './versions.js'

const BODY = {
  statusCode: 503,
  error: 'Service Unavailable',
  code: 'LEASEHOLD_ACQUIRE_TIMEOUT',
  message: 'The service cannot answer at the moment: try again in 1 s',
}

describe.each(versions)('on %s a request that gets no connection', (_, express) => {
  const service = useService(express)
  const query = async (): Promise<string> => service.pool.use((client) => client.query('select'))
  const wrapped = async (): Promise<string> =>
    query().catch((cause: unknown) => {
      const inner = new Error('an ORM', { cause })
      throw new Error("Failed query: select * from users where name = 'Ada'", { cause: inner })
    })

  /** A service all of whose connections are lent to a holder that clients must not hear of. */
  async function busy(routes: (app: Express) => unknown, errors = true): Promise<void> {
    await service.start(routes, { errors, pool: { max: 1, acquireTimeoutMs: 10, captureSites: 'always' } })
    await service.pool.acquire({ label: 'the secret holder' })
  }

  it.each([
    ['the pool’s error', query],
    ['an error far behind which it is the cause', wrapped],
  ])('is answered 503 with Retry-After and no word of who holds them, for %s', async (_name, handler) => {
    await busy((app) => app.get('/', handle(handler)))

    const { status, headers, body } = await service.get('/')

    expect(status).toBe(503)
    expect(headers).toMatchObject({ 'retry-after': '1', 'content-type': 'application/json; charset=utf-8' })
    expect(JSON.parse(body)).toEqual(BODY)
    await vi.waitFor(() => expect(service.scopes.map((scope) => scope.isOpen)).toEqual([false]))
  })

  it('is answered so when the queue is full, and when the database cannot be reached', async () => {
    await service.start((app) => app.get('/', handle(query)), { pool: { max: 1, maxWaiting: 0 } })
    service.driver.script.next('connect', 'error')
    expect(JSON.parse((await service.get('/')).body)).toEqual({ ...BODY, code: 'LEASEHOLD_CONNECT_FAILED' })

    service.pool.pause()
    expect(JSON.parse((await service.get('/')).body)).toEqual({ ...BODY, code: 'LEASEHOLD_QUEUE_FULL' })
  })

  it('is answered in place of what the handler had said of its answer, which nobody must cache or unpack', async () => {
    await busy((app) =>
      app.get(
        '/',
        handle(async (_req, res) => {
          res.set({
            'access-control-allow-origin': '*',
            'cache-control': 'public, max-age=3600',
            'content-encoding': 'gzip',
            'content-length': '7',
            etag: '"1"',
          })
          res.status(201)
          await query()
        }),
      ),
    )

    const { status, headers, body } = await service.get('/')

    expect([status, JSON.parse(body)]).toEqual([503, BODY])
    expect(headers).toMatchObject({ 'access-control-allow-origin': '*', 'content-length': `${body.length}` })
    expect(headers).not.toHaveProperty('cache-control')
    expect(headers).not.toHaveProperty('content-encoding')
    expect(headers).not.toHaveProperty('etag')
  })

  it('without a body for HEAD', async () => {
    await busy((app) => app.get('/', handle(query)))

    const { status, headers, body } = await service.answerTo(service.send('/', { method: 'HEAD' }))

    expect([status, headers['retry-after'], body]).toEqual([503, '1', ''])
  })

  it('is told to `log` with all that is known', async () => {
    const logged: unknown[] = []
    await busy((app) => {
      app.get('/', handle(query))
      app.use(leaseholdErrors({ log: (error, request) => logged.push(String(error), request.url) }))
    }, false)

    expect((await service.get('/')).status).toBe(503)

    expect(logged).toEqual([expect.stringContaining('held by the secret holder'), '/'])
  })

  it('is answered by an error handler that stands before, and as an error says that brings another status', async () => {
    await busy((app) => {
      app.get('/sorry', handle(query))
      app.get(
        '/tea',
        handle(async () =>
          query().catch((cause: unknown) => {
            throw Object.assign(new Error('no tea', { cause }), { status: 418 })
          }),
        ),
      )
      app.use('/sorry', (_error: unknown, _req: unknown, res: { send(text: string): void }, _next: unknown) => {
        res.send('sorry')
      })
    })

    expect(await service.get('/sorry')).toMatchObject({ status: 200, body: 'sorry' })
    expect((await service.get('/tea')).status).toBe(418)
  })

  it('is left to the next error handler when its answer has begun, and broken off by Express', async () => {
    const passed: unknown[] = []
    await busy((app) => {
      app.get(
        '/',
        handle(async (_req, res) => {
          res.write('the first row')
          await query()
        }),
      )
      app.use(leaseholdErrors())
      app.use((error: { code: string }, _req: unknown, _res: unknown, next: (error: unknown) => void) => {
        passed.push(error.code)
        next(error)
      })
    }, false)

    await expect(service.get('/')).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(passed).toEqual([BODY.code])
    await vi.waitFor(() => expect(service.scopes[0]?.isOpen).toBe(false))
  })

  it.each([
    ['an error', new Error('of the handler')],
    ['a text', 'of the handler'],
    ['an error with a status', Object.assign(new Error('no tea'), { status: 418 })],
  ])('is told from %s, which is answered as without leaseholdErrors', async (_name, thrown) => {
    const route = (app: Express): unknown => app.get('/', (_req, _res, next) => next(thrown))
    const answers: unknown[] = []
    for (const errors of [true, false]) {
      await service.start(route, { errors })
      const { status, body } = await service.get('/')
      answers.push({ status, body })
      if (errors) await service.stop()
    }

    expect(answers[0]).toEqual(answers[1])
    expect(answers[0]).not.toMatchObject({ status: 503 })
  })
})

describe('leaseholdErrors', () => {
  it.each<[unknown, readonly string[]]>([
    [{ log: true }, ['log']],
    [{ logger: () => {} }, ['logger']],
    [5, ['options']],
  ])('refuses %j', (options, faults) => {
    let refused: unknown
    try {
      leaseholdErrors(options as LeaseholdErrorsOptions)
    } catch (error) {
      refused = error
    }
    expect(refused).toBeInstanceOf(InvalidOptionsError)
    expect((refused as InvalidOptionsError).faults.map(({ option }) => option)).toEqual(faults)
  })
})
