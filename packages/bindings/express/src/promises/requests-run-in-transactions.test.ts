import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { currentScope, currentTransaction } from '@leasehold/core'
import { Gate } from '@leasehold/testkit'
import type { NextFunction, Request, Response } from 'express'
import { describe, expect, it, vi } from 'vitest'
import { leasehold } from '../leasehold.js'
import { transactional } from '../transactional.js'
import { type ServiceOptions, useService } from './use-service.js'
import { versions } from './versions.js'

type Handle = (req: Request, res: Response, next: NextFunction) => unknown

const failure = new Error('of the handler')

describe.each(versions)('on %s', (_version, express) => {
  const service = useService(express)

  const insert = (row: string): Promise<string> => service.pool.use((client) => client.query(`insert ${row}`))

  async function start(
    handler: Handle,
    { how, ...options }: ServiceOptions & { readonly how?: Parameters<typeof transactional>[1] } = {},
  ): Promise<void> {
    await service.start((app) => void app.get('/', transactional(handler, how)), options)
  }

  describe('a transactional handler is committed before its client has the answer', () => {
    it.each<[string, Handle]>([
      ['answers with res.send', async (_req, res) => (await insert('a'), res.send('done'))],
      ['answers with res.json', async (_req, res) => (await insert('a'), res.json('done'))],
      ['answers with writeHead and end', async (_req, res) => (await insert('a'), res.writeHead(200).end('done'))],
      ['has no promises at all', (_req, res) => void insert('a').then(() => res.send('done'))],
      ['answers later, from a callback', async (_req, res) => (await insert('a'), setImmediate(() => res.end('done')))],
      [
        'answers in pieces',
        async (_req, res) => {
          await insert('a')
          res.write('do')
          res.end('ne')
        },
      ],
      ['pipes a stream', async (_req, res) => (await insert('a'), pipeline(Readable.from(['do', 'ne']), res))],
      [
        'pipes a stream in which there is nothing',
        async (_req, res) => (await insert('a'), pipeline(Readable.from([]), res)),
      ],
    ])('when it %s', async (_how, handler) => {
      await start((req, res, next) => {
        // The second statement from now on is the commit.
        service.driver.script.next('query', 'ok', 'slow')
        return handler(req, res, next)
      })
      let answered = false
      const answer = service.get('/').finally(() => (answered = true))
      await service.atGate()
      expect([answered, service.driver.rows]).toEqual([false, []])

      service.driver.script.open('query')

      expect((await answer).status).toBe(200)
      expect(['done', '"done"', '']).toContain((await answer).body)
      expect(service.driver.rows).toEqual(['a'])
      await service.allIsBack(1)
      expect(service.pool.snapshot().counts.leaks['left-over']).toBe(0)
    })

    it('with its status and headers, and it knows that it has answered', async () => {
      const sent: boolean[] = []
      await start(async (_req, res) => {
        await insert('a')
        sent.push(res.headersSent)
        res.status(201).set('x-is', 'here').json({ done: true })
        sent.push(res.headersSent)
      })
      const answer = await service.get('/')
      expect(answer).toMatchObject({ status: 201, body: '{"done":true}', headers: { 'x-is': 'here' } })
      expect(sent).toEqual([false, true])
    })

    it('and before the next handler runs, which is outside of it', async () => {
      await service.start((app) => {
        app.get(
          '/',
          transactional(async (_req, _res, next) => (await insert('a'), next())),
          (_req, res) =>
            void res.send(
              `${service.driver.rows.join()} ${currentTransaction() === undefined} ${currentScope()?.label}`,
            ),
        )
        app.get(
          '/skip',
          transactional((_req, _res, next) => next('route')),
          (_req, res) => void res.send('not me'),
        )
        app.get('/skip', (_req, res) => void res.send('me'))
      })
      expect((await service.get('/')).body).toBe('a true GET /')
      expect((await service.get('/skip')).body).toBe('me')
    })

    it('through what other middleware has put on the response before, and puts there later', async () => {
      const seen: string[] = []
      const watch = (res: Response, name: string): void => {
        const end = res.end.bind(res) as (...values: unknown[]) => Response
        res.end = ((...values: unknown[]) => {
          seen.push(`${name} with ${service.driver.rows.join()}`)
          return end(...values)
        }) as Response['end']
      }
      await service.start((app) => {
        app.use((_req, res, next) => (watch(res, 'before'), next()))
        app.get(
          '/',
          transactional(async (_req, res) => {
            watch(res, 'inside')
            await insert('a')
            res.send('done')
          }),
        )
      })
      expect((await service.get('/')).body).toBe('done')
      expect(seen).toEqual(['inside with ', 'before with a'])
    })
  })

  describe('a transactional handler is rolled back, and leaves nothing,', () => {
    it.each<[string, number, Handle]>([
      ['when it rejects', 500, () => Promise.reject(failure)],
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- it is the mistake that this is about
      ['when it rejects with nothing', 500, () => Promise.reject(undefined)],
      ['when it calls next with an error', 500, (_req, _res, next) => next(failure)],
      [
        'when it throws what says another status',
        409,
        () => Promise.reject(Object.assign(new Error(), { status: 409 })),
      ],
      ['when it answers with a status of 500 or above', 502, (_req, res) => res.status(502).send('no')],
      ['when it answers with a status of 400 or above', 404, (_req, res) => res.sendStatus(404)],
      ['when it says so in writeHead', 409, (_req, res) => res.writeHead(409).end('no')],
    ])('%s', async (_when, status, handler) => {
      await start(async (req, res, next) => (await insert('a'), handler(req, res, next)))
      expect((await service.get('/')).status).toBe(status)
      expect(service.driver.rows).toEqual([])
      await service.allIsBack(1)
      expect(service.pool.snapshot().counts.leaks['left-over']).toBe(0)
    })

    it('when it throws before it has returned', async () => {
      await start(() => {
        throw failure
      })
      expect((await service.get('/')).status).toBe(500)
    })

    it.each<[string, Handle]>([
      ['at once', (_req, res) => res.status(201).set('x-is', 'here').send('done')],
      ['in pieces', (_req, res) => (res.status(201).set('x-is', 'here'), res.write('do'), res.end('ne'))],
    ])(
      'when the commit fails, though it had answered %s: the client gets the error, and nothing of that answer',
      async (_how, answer) => {
        await start(async (req, res, next) => {
          await insert('a')
          service.driver.script.next('query', 'error')
          return answer(req, res, next)
        })
        const { status, headers } = await service.get('/')
        expect([status, headers['x-is'], headers['etag']]).toEqual([500, undefined, undefined])
        expect(service.driver.rows).toEqual([])
        await service.allIsBack(1)
      },
    )

    it('when the commit fails and it goes on writing behind the answer of an error handler: that ends no process', async () => {
      const [goOn, ended] = [new Gate(), new Gate()]
      await service.start((app) => {
        app.get(
          '/',
          transactional(async (_req, res) => {
            await insert('a')
            service.driver.script.next('query', 'error')
            res.write('do')
            await goOn.promise
            res.write('ne')
            ended.open()
          }),
        )
        app.use((_error: unknown, _req: Request, res: Response, _next: NextFunction) => {
          res.status(500).end('no')
          goOn.open()
        })
      })
      expect(await service.get('/')).toMatchObject({ status: 500, body: 'no' })
      await ended.promise
      expect(service.driver.rows).toEqual([])
    })

    it('when an error handler has the error, whose own queries are outside of it and stay', async () => {
      await service.start((app) => {
        app.get(
          '/',
          transactional(async () => (await insert('a'), Promise.reject(failure))),
        )
        app.use((_error: unknown, _req: Request, res: Response, next: NextFunction) => {
          insert('seen').then(() => res.status(418).send('teapot'), next)
        })
      })
      expect(await service.get('/')).toMatchObject({ status: 418, body: 'teapot' })
      expect(service.driver.rows).toEqual(['seen'])
    })

    it('when a middleware answers in its place because it takes too long', async () => {
      await service.start((app) => {
        app.use((_req, res, next) => {
          const timer = setTimeout(() => void res.status(503).send('too slow'), 30)
          res.on('close', () => clearTimeout(timer))
          next()
        })
        app.get(
          '/',
          transactional(async () => (await insert('a'), new Promise(() => {}))),
        )
      })
      expect(await service.get('/')).toMatchObject({ status: 503, body: 'too slow' })
      expect(service.driver.rows).toEqual([])
      await service.allIsBack(1)
    })
  })

  describe('in a transactional handler', () => {
    it('what comes behind the answer is refused, so that it cannot stay by itself', async () => {
      const late: unknown[] = []
      await start(async (_req, res) => {
        await insert('a')
        res.send('done')
        await new Promise(setImmediate)
        late.push(await insert('b').catch((error: { code?: string }) => error.code))
      })
      expect((await service.get('/')).body).toBe('done')
      await vi.waitFor(() => expect(late).toEqual(['LEASEHOLD_TRANSACTION_ENDED']))
      expect(service.driver.rows).toEqual(['a'])
    })

    it('a second answer is no other than the first', async () => {
      await start((_req, res) => {
        res.end('done')
        res.end('twice')
      })
      expect((await service.get('/')).body).toBe('done')
    })

    it('the work runs once more for each retry, and nothing of the answer before is left', async () => {
      let runs = 0
      await start(
        async (_req, res) => {
          runs += 1
          await insert(`run-${runs}`)
          if (runs > 1) return res.send('done')
          await service.pool.use((client) => client.query('collide')).catch(() => {})
          return res.status(500).set('x-run', `${runs}`).send('collided')
        },
        { how: { retries: 1 } },
      )
      const { status, body, headers } = await service.get('/')
      expect([status, body, headers['x-run']]).toEqual([200, 'done', undefined])
      expect(service.driver.rows).toEqual(['run-2'])
    })
  })

  describe('what is wrong with it is told', () => {
    it('where it is written', () => {
      const handler = (): void => {}
      const refused = { code: 'LEASEHOLD_INVALID_OPTIONS' }
      const wrong = { isolation: 'strict', retrys: 1 } as never
      expect(() => transactional(handler, wrong)).toThrow(expect.objectContaining(refused))
      expect(() => transactional(handler, wrong)).toThrow(/isolation: .*retrys: .*retries/)
      expect(() => transactional(undefined as never)).toThrow(/handler: expected a function/)
      // oxlint-disable-next-line max-params -- by their number Express knows an error handler
      const ofErrors = (_error: unknown, _req: unknown, _res: unknown, _next: unknown): void => {}
      expect(() => transactional(ofErrors as never)).toThrow(/an error handler/)
    })

    it('by the first request: no such pool, no scope, no middleware; the handler is not called', async () => {
      const called: string[] = []
      const told: string[] = []
      const handler =
        (name: string): Handle =>
        () =>
          void called.push(name)
      await service.start(
        (app) => {
          app.get('/pool', transactional(handler('pool'), { pool: 'reports' }))
          app.get('/off', leasehold.route({ off: true }), transactional(handler('off')))
          app.use((error: Error & { code?: string }, _req: Request, res: Response, _next: NextFunction) => {
            told.push(error.message)
            res.status(500).send(error.code)
          })
        },
        { before: (app) => void app.get('/none', transactional(handler('none'))) },
      )
      for (const path of ['/pool', '/off']) expect((await service.get(path)).body).toBe('LEASEHOLD_INVALID_OPTIONS')
      expect((await service.get('/none')).status).toBe(500)
      expect(told.join()).toMatch(/expected one of main, received "reports".*route is `off`.*app\.use\(leasehold/)
      expect(called).toEqual([])
    })
  })
})
