import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openScope } from '../scope/scopes.js'
import { RequestLeasehold } from './request-leasehold.js'

describe('the leasehold of a request', () => {
  let server: Server
  const made: RequestLeasehold[] = []
  let ended = 0

  beforeEach(async () => {
    server = createServer().listen(0)
    await once(server, 'listening')
  })

  afterEach(async () => {
    made.length = 0
    ended = 0
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  })

  function serve(handler: (own: RequestLeasehold, incoming: IncomingMessage, response: ServerResponse) => void): void {
    server.on('request', (incoming: IncomingMessage, response: ServerResponse) => {
      const own = leaseholdOf(incoming, response)
      handler(own, incoming, response)
    })
  }

  function leaseholdOf(incoming: IncomingMessage, response: ServerResponse): RequestLeasehold {
    const scope = openScope({ label: 'GET /' })
    const own = new RequestLeasehold(scope, incoming, response, () => (ended += 1))
    made.push(own)
    return own
  }

  function send(method = 'GET', body?: string): ReturnType<typeof request> {
    const sent = request({ port: (server.address() as AddressInfo).port, method, agent: false })
    sent.on('error', () => {})
    sent.end(body)
    return sent
  }

  const scopesOpen = (): boolean[] => made.map(({ scope }) => scope.isOpen)

  it('ends with an answered response, once, without its signal aborting', async () => {
    const signals: AbortSignal[] = []
    serve((own, _incoming, response) => {
      signals.push(own.signal, own.signal)
      response.end('done')
    })

    const [response] = (await once(send(), 'response')) as [IncomingMessage]
    response.resume()

    await vi.waitFor(() => expect(scopesOpen()).toEqual([false]))
    expect(ended).toBe(1)
    expect(signals[0]).toBe(signals[1])
    expect([signals[0]?.aborted, made[0]?.scope.signal.aborted]).toEqual([false, true])
  })

  it('ends when the client hangs up, also on a POST whose body has been read, and both signals say why', async () => {
    const signals: AbortSignal[] = []
    serve((own, incoming) => {
      signals.push(own.signal)
      incoming.resume()
    })
    const sent = send('POST', 'an order')
    await vi.waitFor(() => expect(signals).toHaveLength(1))
    await new Promise(setImmediate)
    expect(signals[0]?.aborted).toBe(false)

    sent.destroy()

    await vi.waitFor(() => expect(scopesOpen()).toEqual([false]))
    expect(signals[0]?.reason).toMatchObject({
      name: 'AbortError',
      message: 'the response to GET / closed before the answer was finished',
    })
    expect(made[0]?.scope.signal.reason).toBe(signals[0]?.reason)
  })

  it('ends at once where the response has closed already, and tells so whoever asks only then', async () => {
    let late: (() => RequestLeasehold) | undefined
    server.on('request', (incoming: IncomingMessage, response: ServerResponse) => {
      response.on('close', () => (late = () => leaseholdOf(incoming, response)))
    })
    const sent = send()
    await once(server, 'request')
    sent.destroy()
    await vi.waitFor(() => expect(late).toBeDefined())

    const own = late?.()

    expect([own?.scope.isOpen, own?.signal.aborted]).toEqual([false, true])
    await new Promise(setImmediate)
    expect(ended).toBe(1)
  })

  it('ends with the socket where the response was still waiting for it, and leaves no listener on it', async () => {
    const sockets: IncomingMessage['socket'][] = []
    const listeners: number[] = []
    serve((_own, incoming) => {
      sockets.push(incoming.socket)
      // The first response has the socket and needs no listener on it; the others have one between them.
      listeners.push(incoming.socket.listenerCount('close'))
    })
    const socket = connect((server.address() as AddressInfo).port)
    socket.write('GET / HTTP/1.1\r\nhost: here\r\n\r\n'.repeat(3))
    await vi.waitFor(() => expect(made).toHaveLength(3))
    expect(listeners[2]).toBe((listeners[0] ?? 0) + 1)

    socket.destroy()

    await vi.waitFor(() => expect(scopesOpen()).toEqual([false, false, false]))
    expect(ended).toBe(3)
    expect(new Set(sockets).size).toBe(1)
    expect(sockets[0]?.listenerCount('close')).toBe(listeners[0])
  })

  it('ends all its scopes, when it has gone on in another', async () => {
    const first = openScope({ label: 'first' })
    const second = openScope({ label: 'second' })
    let answer: () => void = () => {}
    server.on('request', (incoming: IncomingMessage, response: ServerResponse) => {
      const own = new RequestLeasehold(first, incoming, response)
      own.continueIn(second)
      made.push(own)
      answer = () => response.end('done')
    })
    const sent = send()
    await vi.waitFor(() => expect(made[0]?.scope).toBe(second))
    expect([first.isOpen, second.isOpen]).toEqual([true, true])

    answer()
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    response.resume()

    await vi.waitFor(() => expect([first.isOpen, second.isOpen]).toEqual([false, false]))
    const tooLate = openScope({ label: 'too late' })
    made[0]?.continueIn(tooLate)
    expect(tooLate.isOpen).toBe(false)
  })
})
