import { once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Gate } from '@leasehold/testkit'
import { describe, expect, it, vi } from 'vitest'
import { handle, useService } from './use-service.js'
import { versions } from './versions.js'

// The contract of testkit has the cases that every binding has; here are those that only Express has.
describe.each(versions)('on %s a scope ends, and gives back what was left in it,', (version, express) => {
  const service = useService(express)

  it('when a middleware had borrowed for a request without a route', async () => {
    await service.start((app) =>
      app.use(
        handle(async (_req, _res, next) => {
          await service.pool.acquire()
          next()
        }),
      ),
    )

    expect((await service.get('/nowhere')).status).toBe(404)

    await service.allIsBack(1)
    expect(service.scopes[0]?.label).toBe('GET (no route)')
  })

  it('when a middleware answers in place of the route', async () => {
    await service.start((app) => {
      app.use(
        handle(async (_req, res) => {
          await service.pool.acquire()
          res.sendStatus(401)
        }),
      )
      app.get('/', (_req, res) => void res.send('done'))
    })

    expect((await service.get('/')).status).toBe(401)

    await service.allIsBack(1)
  })

  it('when the answer was ended before the lease was released, whose statement may still finish', async () => {
    const outcomes: unknown[] = []
    const answered = new Gate()
    await service.start(
      (app) =>
        app.get(
          '/',
          handle(async (_req, res) => {
            const lease = await service.pool.acquire()
            service.driver.script.next('query', 'slow')
            const query = lease.client.query('insert')
            res.end('done')
            await answered.promise
            service.driver.script.open('query')
            outcomes.push(await query)
            lease.release()
            outcomes.push(lease.active)
          }),
        ),
      { pool: { closeGraceMs: 5_000 } },
    )

    expect((await service.get('/')).body).toBe('done')
    await vi.waitFor(() => expect(service.scopes[0]?.isOpen).toBe(false))
    answered.open()

    await vi.waitFor(() => expect(outcomes).toEqual(['insert on 1', false]))
    await service.allIsBack(1)
  })

  it('when a timeout middleware answers in place of a handler that goes on', async () => {
    const held = new Gate()
    await service.start((app) => {
      app.use((_req, res, next) => {
        const timer = setTimeout(() => void res.status(503).send('too slow'), 30)
        res.on('close', () => clearTimeout(timer))
        next()
      })
      app.get(
        '/',
        handle(async () => {
          await service.pool.acquire()
          await held.promise
        }),
      )
    })

    expect(await service.get('/')).toMatchObject({ status: 503, body: 'too slow' })

    await service.allIsBack(1)
    held.open()
  })

  it('when server.requestTimeout ends a request whose body never comes', async () => {
    await service.start(
      (app) =>
        app.post(
          '/',
          handle(async (req, res, next) => {
            await service.pool.acquire()
            express.text()(req, res, next)
          }),
        ),
      { server: { requestTimeout: 60, headersTimeout: 50, connectionsCheckingInterval: 20 } },
    )
    const socket = service.connect()
    socket.write('POST / HTTP/1.1\r\nhost: here\r\ncontent-type: text/plain\r\ncontent-length: 100\r\n\r\nhalf of it')
    await service.lent(1)

    socket.resume()
    await once(socket, 'close')

    await service.allIsBack(1)
  })

  it('when the client has hung up before this middleware was reached', async () => {
    const middleware = new Gate()
    const come = new Gate<NodeJS.EventEmitter>()
    const signals: AbortSignal[] = []
    await service.start(
      (app) =>
        app.get(
          '/',
          handle(async (req, res) => {
            signals.push(req.leasehold.signal)
            await service.pool.use((client) => client.query('select'))
            res.send('never sent')
          }),
        ),
      {
        before: (app) =>
          app.use(
            handle(async (req, _res, next) => {
              come.open(req.socket)
              await middleware.promise
              next()
            }),
          ),
      },
    )
    const sent = service.send('/')
    const socket = await come.promise
    const closed = once(socket, 'close')
    sent.destroy()
    await closed

    middleware.open()

    await service.allIsBack(1)
    await vi.waitFor(() => expect(signals.map((signal) => signal.aborted)).toEqual([true]))
  })

  it('for each of many pipelined requests, which leave no listener on their socket', async () => {
    const sockets = new Set<NodeJS.EventEmitter>()
    const counts: number[] = []
    await service.start((app) =>
      app.get(
        '/:number',
        handle(async (req, res) => {
          sockets.add(req.socket)
          counts.push(req.socket.listenerCount('close'))
          await nextTurn()
          res.send('done')
        }),
      ),
    )
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

  it('when an async handler throws, as far as this Express can know', async () => {
    const unhandled: unknown[] = []
    const own = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection')
    process.on('unhandledRejection', (error) => unhandled.push(error))
    const error = new Error('of the handler')
    await service.start((app) =>
      // oxlint-disable-next-line typescript/no-misused-promises -- it is the mistake that this is about
      app.get('/', async () => {
        await service.pool.acquire()
        throw error
      }),
    )
    const sent = service.send('/')

    if (version === 'Express 5') {
      expect((await service.answerTo(sent)).status).toBe(500)
    } else {
      // Nobody answers. The lease is held until the client has had enough.
      await vi.waitFor(() => expect(unhandled).toEqual([error]))
      expect(service.pool.snapshot().connections.lent).toBe(1)
      sent.destroy()
    }

    await service.allIsBack(1)
    process.removeAllListeners('unhandledRejection')
    for (const listener of own) process.on('unhandledRejection', listener)
  })
})
