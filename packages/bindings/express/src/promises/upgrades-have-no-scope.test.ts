import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { currentScope, runInScope } from '@leasehold/core'
import { describe, expect, it } from 'vitest'
import { useService } from './use-service.js'
import { versions } from './versions.js'

const UPGRADE = 'GET /feed HTTP/1.1\r\nhost: here\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n'

describe.each(versions)('on %s an upgrade', (_, express) => {
  const service = useService(express)

  it('reaches no middleware: its messages are given scopes of their own, and hold nothing in between', async () => {
    const seen: unknown[] = []
    await service.start((app) => app.get('/feed', (_req, res) => void res.send('no feed')))
    service.server.on('upgrade', (_request: unknown, socket: Duplex) => {
      seen.push(currentScope())
      socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n')
      socket.on('data', () => {
        void runInScope({ label: 'message of /feed' }, async () => {
          await service.pool.acquire()
          seen.push(currentScope()?.label)
        }).then(() => socket.end('heard'))
      })
    })
    const socket = service.connect()
    socket.write(UPGRADE)
    await once(socket, 'data')
    socket.write('hi')
    const [heard] = (await once(socket, 'data')) as [Buffer]

    expect(heard.toString()).toBe('heard')
    expect(seen).toEqual([undefined, 'message of /feed'])
    expect(service.scopes).toEqual([])
    await service.allIsBack(0)
  })

  it('that nobody listens for is an ordinary request, with a scope as every other', async () => {
    await service.start((app) => app.get('/feed', (_req, res) => void res.send(currentScope()?.label)))
    const socket = service.connect()
    socket.write(UPGRADE)

    const [answer] = (await once(socket, 'data')) as [Buffer]

    expect(answer.toString()).toMatch(/^HTTP\/1.1 200 OK.*GET \/feed$/s)
    await service.allIsBack(1)
  })
})
