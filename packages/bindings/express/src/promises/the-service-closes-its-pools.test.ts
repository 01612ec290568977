import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { createPool } from '@leasehold/core'
import { FakeDriver, Gate } from '@leasehold/testkit'
import { describe, expect, it, vi } from 'vitest'
import { leasehold } from '../leasehold.js'
import { handle, useService } from './use-service.js'
import { versions } from './versions.js'

describe.each(versions)('on %s, when a service closes,', (_, express) => {
  const service = useService(express)

  it('requests that are under way still get their connections, and only then the pool closes', async () => {
    const held = new Gate()
    await service.start((app) =>
      app.get(
        '/',
        handle(async (_req, res) => {
          await held.promise
          res.send(await service.pool.use((client) => client.query('select')))
        }),
      ),
    )
    const answer = service.get('/')
    await vi.waitFor(() => expect(service.scopes).toHaveLength(1))

    const closing = service.leases.close(service.server)
    await new Promise(setImmediate)
    expect([service.server.listening, service.pool.snapshot().state]).toEqual([false, 'open'])
    held.open()

    expect(await answer).toMatchObject({ status: 200, body: 'select on 1' })
    await closing
    expect(service.pool.snapshot()).toMatchObject({ state: 'closed', connections: { total: 0 } })
    await service.leases.close(service.server)
  })

  it('clients that keep their sockets do not keep the server, and are told with their next answer', async () => {
    const held = new Gate()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    await service.start((app) => {
      app.get(
        '/held',
        handle(async (_req, res) => {
          await held.promise
          res.send('done')
        }),
      )
      app.get('/', (_req, res) => void res.send('done'))
    })
    const send = async (path: string): Promise<string | undefined> => {
      const [response] = (await once(get({ port: service.port, path, agent }), 'response')) as [IncomingMessage]
      await text(response)
      return response.headers.connection
    }
    expect(await send('/')).toBe('keep-alive')
    const port = service.port
    const last = service.get('/held')
    await vi.waitFor(() => expect(service.scopes).toHaveLength(2))

    const closing = service.leases.close()
    // The server itself was not given, and still listens.
    expect(service.port).toBe(port)
    expect(await send('/')).toBe('close')
    held.open()

    await Promise.all([last, closing])
    const closed = once(service.server, 'close')
    service.server.close()
    await closed
    agent.destroy()
  })

  it('a request is waited for once, however often it met the middleware, and not when its client had gone before', async () => {
    const slow = new Gate()
    const come = new Gate<NodeJS.EventEmitter>()
    await service.start(
      (app) => {
        app.use(service.leases)
        app.get('/', service.leases, (_req, res) => void res.send('done'))
      },
      {
        leasehold: { closeDeadlineMs: Infinity },
        before: (app) =>
          app.use(
            '/slow',
            handle(async (req, _res, next) => {
              come.open(req.socket)
              await slow.promise
              next()
            }),
          ),
      },
    )
    expect((await service.get('/')).body).toBe('done')
    const sent = service.send('/slow')
    const gone = once(await come.promise, 'close')
    sent.destroy()
    await gone
    slow.open()
    await service.allIsBack(2)

    await service.leases.close(service.server)

    expect(service.pool.snapshot().state).toBe('closed')
  })

  it('a socket that its client keeps after the last answer is sent away', async () => {
    const held = new Gate()
    const agent = new Agent({ keepAlive: true })
    await service.start((app) =>
      app.get(
        '/',
        handle(async (_req, res) => {
          await held.promise
          res.send('done')
        }),
      ),
    )
    const answered = once(get({ port: service.port, agent }), 'response') as Promise<[IncomingMessage]>
    await vi.waitFor(() => expect(service.scopes).toHaveLength(1))
    let closed = false
    service.server.on('close', () => (closed = true))

    const closing = service.leases.close(service.server)
    held.open()

    const [response] = await answered
    expect(await text(response)).toBe('done')
    await closing
    await vi.waitFor(() => expect(closed).toBe(true))
    agent.destroy()
  })

  it('a request that takes longer than closeDeadlineMs is cut off, and what it held is taken back', async () => {
    await service.start(
      (app) =>
        app.get(
          '/',
          handle(async () => void (await service.pool.acquire())),
        ),
      { leasehold: { closeDeadlineMs: 30 } },
    )
    const sent = service.send('/')
    await service.lent(1)

    await Promise.all([new Promise((resolve) => sent.on('close', resolve)), service.leases.close(service.server)])

    expect(service.pool.snapshot()).toMatchObject({ state: 'closed', connections: { total: 0 } })
  })

  it('a request that began in another app of the service is waited for as well', async () => {
    const held = new Gate()
    const reports = createPool(new FakeDriver())
    const inner = leasehold({ pool: reports })
    await service.start((app) =>
      app.use(
        '/reports',
        inner,
        handle(async (_req, res) => {
          await held.promise
          res.send(await reports.use((client) => client.query('select')))
        }),
      ),
    )
    const answer = service.get('/reports')
    await vi.waitFor(() => expect(service.scopes).toHaveLength(1))

    const closing = inner.close()
    await new Promise(setImmediate)
    expect(reports.snapshot().state).toBe('open')
    held.open()

    expect((await answer).body).toBe('select on 1')
    await closing
    expect([reports.snapshot().state, service.pool.snapshot().state]).toEqual(['closed', 'open'])
  })

  it('the pool stays open where `closePool` is false', async () => {
    await service.start(() => {}, { leasehold: { closePool: false } })

    await service.leases.close(service.server)

    expect(service.pool.snapshot().state).toBe('open')
    expect(await service.pool.use((client) => client.query('select'))).toBe('select on 1')
  })
})
