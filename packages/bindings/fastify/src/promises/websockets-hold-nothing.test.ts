import { once } from 'node:events'
import type { Socket } from 'node:net'
import websocket from '@fastify/websocket'
import { currentScope, runInScope } from '@leasehold/core'
import { Gate } from '@leasehold/testkit'
import type { FastifyInstance } from 'fastify'
import { describe, expect, it, vi } from 'vitest'
import { useService } from './use-service.js'

describe('a websocket', () => {
  const service = useService()

  /** The status line that the server answers an upgrade with. */
  async function upgrade(path: string): Promise<{ readonly socket: Socket; readonly status: string }> {
    const socket = service.connect()
    const headers = [
      'upgrade: websocket',
      'connection: upgrade',
      'sec-websocket-version: 13',
      'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==',
    ]
    socket.write(`GET ${path} HTTP/1.1\r\nhost: here\r\n${headers.join('\r\n')}\r\n\r\n`)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    return { socket, status: answer.toString().split('\r\n')[0] ?? '' }
  }

  it('has a scope for its handshake, which closes at the upgrade with all that was left in it', async () => {
    const lentInHook: number[] = []
    const signals: AbortSignal[] = []
    await service.start(async (app) => {
      await app.register(websocket)
      app.addHook('preHandler', async () => {
        await service.pool.acquire()
        lentInHook.push(service.pool.snapshot().connections.lent)
      })
      app.get('/feed', { websocket: true }, (_socket, request) => void signals.push(request.leasehold.signal))
    })

    const { socket, status } = await upgrade('/feed')

    expect(status).toBe('HTTP/1.1 101 Switching Protocols')
    expect(lentInHook).toEqual([1])
    await service.allIsBack(1)
    expect(service.scopes[0]?.label).toBe('GET /feed')
    // The socket lives on, and so does the signal.
    expect(signals[0]?.aborted).toBe(false)
    socket.destroy()
    await vi.waitFor(() => expect(signals[0]?.aborted).toBe(true))
  })

  it('holds nothing between its messages, each of which has a scope of its own', async () => {
    const seen: unknown[] = []
    const open = new Gate()
    await service.start(async (app) => {
      await app.register(websocket)
      app.get('/feed', { websocket: true }, (socket) => {
        socket.on('message', () => {
          void runInScope({ label: 'message of /feed' }, async () => {
            await service.pool.acquire()
            seen.push(currentScope()?.label, service.pool.snapshot().connections.lent)
          }).then(() => open.open())
        })
      })
    })
    const { socket } = await upgrade('/feed')
    expect(service.pool.snapshot().connections.lent).toBe(0)

    // A text frame with the mask 0, as clients must send it: "hi".
    socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]))
    await open.promise

    expect(seen).toEqual(['message of /feed', 1])
    await service.allIsBack(1)
  })

  it('may query in its handler, outside the scope that has closed', async () => {
    const labels: string[] = []
    const queried = new Gate()
    await service.start(async (app) => {
      await app.register(websocket)
      app.get('/feed', { websocket: true }, async () => {
        const lease = await service.pool.acquire()
        labels.push(lease.label)
        lease.release()
        queried.open()
      })
    })

    await upgrade('/feed')
    await queried.promise

    expect(labels).toEqual(['GET /feed (after its scope closed)'])
    await service.allIsBack(1)
  })

  it.each<[string, (app: FastifyInstance) => unknown, string]>([
    ['a route that is none for websockets', (app) => app.get('/feed', async () => 'done'), '101 Switching Protocols'],
    ['no route at all', () => {}, '404 Not Found'],
    [
      'a route whose hook refuses it',
      (app) =>
        app.get(
          '/feed',
          {
            websocket: true,
            preHandler: async () => {
              await service.pool.acquire()
              throw Object.assign(new Error('who are you?'), { statusCode: 401 })
            },
          },
          () => {},
        ),
      '401 Unauthorized',
    ],
  ])('that asks for %s leaves nothing behind', async (_, routes, expected) => {
    await service.start(async (app) => {
      await app.register(websocket)
      routes(app)
    })

    const { status } = await upgrade('/feed')

    expect(status).toBe(`HTTP/1.1 ${expected}`)
    await service.allIsBack(1)
  })

  it('whose client hangs up during the handshake leaves nothing behind when that goes on', async () => {
    const held = new Gate()
    await service.start(async (app) => {
      await app.register(websocket)
      app.addHook('preHandler', async () => {
        await service.pool.acquire()
        await held.promise
      })
      app.get('/feed', { websocket: true }, () => {})
    })
    const socket = service.connect()
    socket.write('GET /feed HTTP/1.1\r\nhost: here\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n')
    await service.lent(1)
    socket.destroy()

    // Nobody reads a socket that is being upgraded, so not even Node knows of it yet.
    held.open()

    await service.allIsBack(1)
  })

  it('is upgraded the same when it is injected', async () => {
    await service.start(async (app) => {
      await app.register(websocket)
      app.get('/feed', { websocket: true }, () => {})
    })

    const socket = await service.app.injectWS('/feed')

    await service.allIsBack(1)
    socket.terminate()
  })
})
