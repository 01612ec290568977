import { once } from 'node:events'
import { connect as connectHttp2, createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createPool, currentScope, type Scope } from '@leasehold/core'
import { FakeDriver, Gate } from '@leasehold/testkit'
import fastify from 'fastify'
import { describe, expect, it, vi } from 'vitest'
import { leasehold } from '../leasehold.js'
import { useService } from './use-service.js'

// The contract of testkit has the cases that every binding has; here are those that only Fastify has.
describe('a scope ends, and gives back what was left in it,', () => {
  const service = useService()

  it('when an injected request has been answered', async () => {
    await service.start((app) =>
      app.get('/', async () => {
        await service.pool.acquire()
        return 'done'
      }),
    )

    expect((await service.app.inject('/')).body).toBe('done')

    await service.allIsBack(1)
  })

  it('when a hook had borrowed for a request without a route', async () => {
    await service.start((app) => app.addHook('preHandler', async () => void (await service.pool.acquire())))

    expect((await service.get('/nowhere')).status).toBe(404)

    await service.allIsBack(1)
    expect(service.scopes[0]?.label).toBe('GET (no route)')
  })

  it('when a hook refuses the request', async () => {
    await service.start((app) => {
      app.addHook('onRequest', async () => {
        await service.pool.acquire()
        throw Object.assign(new Error('who are you?'), { statusCode: 401 })
      })
      app.get('/', async () => 'done')
    })

    expect((await service.get('/')).status).toBe(401)

    await service.allIsBack(1)
  })

  it('when a hijacked reply has been ended, and not before', async () => {
    const rest = new Gate()
    await service.start((app) =>
      app.get('/', async (_request, reply) => {
        const { client } = await service.pool.acquire()
        reply.hijack()
        reply.raw.writeHead(200)
        reply.raw.write('one,')
        await rest.promise
        reply.raw.end(await client.query('two'))
      }),
    )
    const answer = service.get('/')
    await service.lent(1)
    expect(service.scopes[0]?.isOpen).toBe(true)
    rest.open()

    expect((await answer).body).toBe('one,two on 1')
    await service.allIsBack(1)
  })

  it('when the client hangs up on a hijacked reply', async () => {
    await service.start((app) =>
      app.get('/', async (_request, reply) => {
        await service.pool.acquire()
        reply.hijack()
        reply.raw.writeHead(200)
        reply.raw.write('and then nothing')
      }),
    )
    const sent = service.send('/')
    await once(sent, 'response')

    sent.destroy()

    await service.allIsBack(1)
  })

  it('when Fastify answers in place of a handler that took too long', async () => {
    const held = new Gate()
    await service.start((app) =>
      app.get('/', { handlerTimeout: 30 }, async () => {
        await service.pool.acquire()
        await held.promise
        return 'never sent'
      }),
    )

    expect((await service.get('/')).status).toBe(503)

    await service.allIsBack(1)
    held.open()
  })

  it('when the client has hung up before the hook of this plugin was reached', async () => {
    const hook = new Gate()
    const come = new Gate()
    const signals: AbortSignal[] = []
    await service.start(
      (app) =>
        app.get('/', async (request) => {
          signals.push(request.leasehold.signal)
          await service.pool.use((client) => client.query('select'))
          return 'never sent'
        }),
      {
        before: (app) =>
          app.addHook('onRequest', async () => {
            come.open()
            await hook.promise
          }),
      },
    )
    const sent = service.send('/')
    await come.promise
    sent.destroy()
    await vi.waitFor(() => connectionsOf(service.app.server).then((count) => expect(count).toBe(0)))

    hook.open()

    await service.allIsBack(1)
    await vi.waitFor(() => expect(signals.map((signal) => signal.aborted)).toEqual([true]))
  })

  it('for each of many pipelined requests, which leave no listener on their socket', async () => {
    const sockets = new Set<NodeJS.EventEmitter>()
    const counts: number[] = []
    await service.start((app) => {
      app.get('/:number', async (request) => {
        sockets.add(request.raw.socket)
        counts.push(request.raw.socket.listenerCount('close'))
        await nextTurn()
        return 'done'
      })
    })
    const warnings: Error[] = []
    const warned = (warning: Error): void => void warnings.push(warning)
    process.on('warning', warned)
    const socket = service.connect()
    const alone = `GET /0 HTTP/1.1\r\nhost: here\r\n\r\n`
    socket.write(alone)
    await service.allIsBack(1)
    const before = [...sockets][0]?.listenerCount('close')

    socket.write(alone.repeat(30))

    await service.allIsBack(31)
    expect(Math.max(...counts)).toBeGreaterThan(before ?? 0)
    expect(sockets.size).toBe(1)
    expect([...sockets][0]?.listenerCount('close')).toBe(before)
    process.off('warning', warned)
    expect(warnings).toEqual([])
  })
})

describe('over HTTP/2 a scope ends', () => {
  it('when a stream has been answered, and when the client resets one', async () => {
    const driver = new FakeDriver()
    const pool = createPool(driver, { max: 3 })
    const app = fastify({ http2: true, serverFactory: (handler) => createServer(handler) as never })
    const scopes: Scope[] = []
    const signals: AbortSignal[] = []
    const held = new Gate()
    await app.register(leasehold, { pool })
    app.get('/:what', async (request) => {
      scopes.push(currentScope() as Scope)
      signals.push(request.leasehold.signal)
      await pool.acquire()
      if (request.url === '/held') await held.promise
      return 'done'
    })
    await app.listen({ port: 0 })
    const session = connectHttp2(`http://localhost:${(app.server.address() as AddressInfo).port}`)

    const answered = session.request({ ':path': '/answered' })
    answered.resume()
    await once(answered, 'close')
    await vi.waitFor(() => expect(scopes.map((scope) => scope.isOpen)).toEqual([false]))
    expect(signals[0]?.aborted).toBe(false)

    const reset = session.request({ ':path': '/held' })
    reset.on('error', () => {})
    await vi.waitFor(() => expect(scopes[1]?.held).toBe(1))
    reset.close(8)
    await vi.waitFor(() => expect(scopes.map((scope) => scope.isOpen)).toEqual([false, false]))
    expect(signals[1]?.aborted).toBe(true)
    await vi.waitFor(() => expect(pool.snapshot().connections.lent).toBe(0))

    held.open()
    session.close()
    await app.close()
    expect(driver.sockets.total).toBe(0)
  })
})

function connectionsOf(server: {
  getConnections(done: (error: Error | null, count: number) => void): unknown
}): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)))
  })
}
