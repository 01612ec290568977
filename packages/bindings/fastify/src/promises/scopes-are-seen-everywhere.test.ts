import { EventEmitter, once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { currentScope, runInScope } from '@leasehold/core'
import { describe, expect, it } from 'vitest'
import { useService } from './use-service.js'

const here = (): string => currentScope()?.label ?? 'outside'

describe('the scope of a request', () => {
  const service = useService()

  it('is the current one in every later hook, in the handler, and in what they await', async () => {
    const seen: Record<string, string> = {}
    const see = (where: string): void => void (seen[where] = here())
    await service.start(
      (app) => {
        app.addHook('onRequest', async () => (await nextTurn(), see('onRequest')))
        app.addHook('preParsing', async () => see('preParsing'))
        app.addHook('preValidation', async () => see('preValidation'))
        app.addHook('preHandler', (_request, _reply, done) => (see('preHandler'), done()))
        app.addHook('preSerialization', async (_request, _reply, payload) => (see('preSerialization'), payload))
        app.addHook('onSend', async () => see('onSend'))
        app.addHook('onError', async () => see('onError'))
        app.setErrorHandler((error, _request, reply) => (see('error handler'), reply.code(500).send(error)))
        app.post('/orders/:id', async () => (await nextTurn(), see('handler'), { done: true }))
        app.post('/broken', async () => {
          throw new Error('of the handler')
        })
      },
      { before: (app) => app.addHook('onRequest', async () => see('before the plugin')) },
    )

    await service.answerTo(service.send('/orders/7', { method: 'POST', body: 'an order' }))
    const { 'before the plugin': before, ...after } = seen
    expect(before).toBe('outside')
    expect(new Set(Object.values(after))).toEqual(new Set(['POST /orders/:id']))
    expect(Object.keys(after)).toHaveLength(7)

    await service.answerTo(service.send('/broken', { method: 'POST', body: 'an order' }))
    expect([seen['onError'], seen['error handler']]).toEqual(['POST /broken', 'POST /broken'])
    await service.allIsBack(2)
  })

  it('is entered again when a hook calls back from an event that belongs to nobody', async () => {
    const elsewhere = new EventEmitter()
    const lost: string[] = []
    await service.start((app) => {
      app.addHook('preParsing', (_request, _reply, _payload, done) => void elsewhere.once('turn', done))
      app.addHook('preParsing', async () => void lost.push(here()))
      app.post('/', async () => here())
    })
    const sent = service.send('/', { method: 'POST', body: 'an order' })
    const answer = service.answerTo(sent)
    while (elsewhere.listenerCount('turn') === 0) await once(service.app.server, 'request')

    elsewhere.emit('turn')

    expect((await answer).body).toBe('POST /')
    expect(lost).toEqual(['outside'])
  })

  it('is kept by a body parser that listens to the stream itself', async () => {
    await service.start((app) => {
      app.addContentTypeParser('application/x-order', (_request, payload, done) => {
        let read = ''
        payload.on('data', (chunk: Buffer) => (read += chunk.toString()))
        payload.on('end', () => done(null, read))
      })
      app.post('/', async (request) => `${String(request.body)} in ${here()}`)
    })
    const headers = { 'content-type': 'application/x-order', 'transfer-encoding': 'chunked' }

    const sent = service.send('/', { method: 'POST', body: 'an order', headers })

    expect((await service.answerTo(sent)).body).toBe('an order in POST /')
  })

  it('encloses that of a request injected by its handler, which inherits from it and does not outlive itself', async () => {
    await service.start((app) => {
      app.get('/inner', async () => {
        const scope = currentScope()
        const { connections } = service.pool.snapshot()
        return {
          label: here(),
          priority: scope?.priority,
          lent: connections.lent,
          deadline: scope?.remainingMs() !== Infinity,
        }
      })
      app.get('/outer', { config: { leasehold: { priority: 'high', deadlineMs: 60_000 } } }, async (request) => {
        const lease = await service.pool.acquire()
        const inner = (await app.inject('/inner')).json<object>()
        return { inner, outer: here(), same: currentScope() === request.leasehold.scope, active: lease.active }
      })
    })

    expect(JSON.parse((await service.get('/outer')).body)).toEqual({
      inner: { label: 'GET /inner', priority: 'high', lent: 1, deadline: true },
      outer: 'GET /outer',
      same: true,
      active: true,
    })
    await service.allIsBack(2)
  })

  it('is left for a scope that the handler opens, and returned to', async () => {
    await service.start((app) =>
      app.get('/', async () => {
        const inner = await runInScope({ label: 'a job' }, async () => (await service.pool.acquire(), here()))
        return { inner, lent: service.pool.snapshot().connections.lent, outer: here() }
      }),
    )

    expect(JSON.parse((await service.get('/')).body)).toEqual({ inner: 'a job', lent: 0, outer: 'GET /' })
  })

  it('is another for each request on one connection', async () => {
    await service.start((app) => app.get('/:number', async () => here()))
    const socket = service.connect()
    socket.write(['1', '2', '3'].map((path) => `GET /${path} HTTP/1.1\r\nhost: here\r\n\r\n`).join(''))

    await service.allIsBack(3)

    expect(new Set(service.scopes).size).toBe(3)
  })
})

describe('the scope of a request is named', () => {
  const service = useService()

  it('by the pattern of its route with its prefix, and by the method of the request', async () => {
    await service.start((app) => {
      app.register(
        async (orders) => {
          orders.route({ method: ['PUT', 'POST'], url: '/:id', handler: async () => here() })
          orders.get('/', async () => here())
        },
        { prefix: '/orders' },
      )
    })
    const ask = async (method: 'GET' | 'PUT' | 'POST' | 'HEAD', url: string): Promise<string | undefined> => {
      await service.app.inject({ method, url })
      return service.scopes.at(-1)?.label
    }

    expect(await ask('PUT', '/orders/7')).toBe('PUT /orders/:id')
    expect(await ask('POST', '/orders/7?secret=1')).toBe('POST /orders/:id')
    expect(await ask('GET', '/orders/')).toBe('GET /orders')
    expect(await ask('HEAD', '/orders')).toBe('HEAD /orders')
    expect(await ask('GET', '/orders/7/secret')).toBe('GET (no route)')
    expect(await ask('POST', '/secret?secret=1')).toBe('POST (no route)')
  })

  it('the same when the route was declared before the plugin was loaded', async () => {
    await service.start(() => {}, { before: (app) => app.get('/orders/:id', async () => here()) })

    expect((await service.get('/orders/7')).body).toBe('GET /orders/:id')
  })

  it('by the function that the service gave, asked once for each route and method', async () => {
    const asked: unknown[] = []
    await service.start((app) => app.get('/orders/:id', async () => here()), {
      plugin: { label: (route) => (asked.push(route), `shop: ${route.url ?? 'nothing'}`) },
    })

    expect((await service.get('/orders/7')).body).toBe('shop: /orders/:id')
    expect((await service.get('/orders/8')).body).toBe('shop: /orders/:id')
    await service.get('/nowhere')
    expect(service.scopes.at(-1)?.label).toBe('shop: nothing')
    expect(asked).toEqual([
      { method: 'GET', url: '/orders/:id' },
      { method: 'GET', url: undefined },
    ])
  })
})
