import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { FaultProxy } from './fault-proxy.js'
import { startFaultProxy } from './start-fault-proxy.js'

/** Long enough for loopback to have delivered what it was going to deliver. */
const A_WHILE_MS = 80

/** What one end has heard so far. */
interface End {
  readonly socket: Socket
  text: string
  /** How it ended, from where it stands: `end` is a farewell, `reset` a RST. */
  ended: 'no' | 'end' | 'reset'
}

let server: Server
let proxy: FaultProxy
/** The server's ends, the oldest first. */
const served: End[] = []
const clients: End[] = []

function listenAt(socket: Socket): End {
  const end: End = { socket, text: '', ended: 'no' }
  socket
    .on('data', (chunk: Buffer) => (end.text += String(chunk)))
    .on('end', () => (end.ended = 'end'))
    .on('error', () => (end.ended = 'reset'))
  return end
}

async function startServer(): Promise<Server> {
  const started = createServer({ allowHalfOpen: true }, (socket) => void served.push(listenAt(socket)))
  started.listen(0, '127.0.0.1')
  await once(started, 'listening')
  return started
}

const portOf = (listening: Server): number => (listening.address() as { readonly port: number }).port

function dial(): End {
  const client = listenAt(connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true }))
  clients.push(client)
  return client
}

/** A line that is up, seen from both ends. */
async function line(): Promise<{ readonly client: End; readonly behind: End }> {
  const at = served.length
  const client = dial()
  client.socket.write('hello')
  await vi.waitFor(() => expect(served[at]?.text).toBe('hello'))
  const behind = served[at] as End
  behind.text = ''
  return { client, behind }
}

beforeEach(async () => {
  server = await startServer()
  proxy = await startFaultProxy({ port: portOf(server) })
})

afterEach(async () => {
  await proxy.close()
  for (const { socket } of [...clients.splice(0), ...served.splice(0)]) socket.destroy()
  server.close()
})

test('without a fault all goes through both ways, and farewells too, each by itself', async () => {
  const { client, behind } = await line()
  behind.socket.write('welcome')
  await vi.waitFor(() => expect(client.text).toBe('welcome'))
  const much = 'x'.repeat(3_000_000)
  client.socket.end(much)
  await vi.waitFor(() => expect([behind.text.length, behind.ended]).toEqual([much.length, 'end']))
  expect(client.ended).toBe('no')
  behind.socket.end('bye')
  await vi.waitFor(() => expect([client.text, client.ended]).toEqual(['welcomebye', 'end']))
  await vi.waitFor(() => expect(proxy.lines).toEqual([]))
})

test('refuse: nothing listens, lines that are up go on, and after it the port is the same', async () => {
  const { client, behind } = await line()
  const { port } = proxy
  await proxy.fault({ is: 'refuse' })
  const [refusal] = (await once(dial().socket, 'error')) as [unknown]
  expect(refusal).toMatchObject({ code: 'ECONNREFUSED' })
  client.socket.write('still here')
  await vi.waitFor(() => expect(behind.text).toBe('still here'))
  await proxy.heal()
  expect(proxy.port).toBe(port)
  await line()
  expect(proxy.dials).toHaveLength(2)
})

test('hang: who dials is let in, and hears nothing', async () => {
  await proxy.fault({ is: 'hang' })
  const client = dial()
  await once(client.socket, 'connect')
  client.socket.write('hello?')
  await sleep(A_WHILE_MS)
  expect([client.text, client.ended]).toEqual(['', 'no'])
  expect(served).toEqual([])
  expect(proxy.dials).toHaveLength(1)
})

test('close: who dials is let in and shown out', async () => {
  await proxy.fault({ is: 'close' })
  const client = dial()
  client.socket.write('hello?')
  await vi.waitFor(() => expect(client.ended).toBe('end'))
  expect(served).toEqual([])
})

test('cut: one message arrives by half, and then nothing', async () => {
  const { client, behind } = await line()
  await proxy.fault({ is: 'cut', direction: 'to-client' })
  client.socket.write('a question')
  await vi.waitFor(() => expect(behind.text).toBe('a question'))
  behind.socket.write('an answer!')
  await vi.waitFor(() => expect([client.text, client.ended]).toEqual(['an an', 'end']))
  await vi.waitFor(() => expect(behind.ended).not.toBe('no'))
})

test('cut: or one of the client’s', async () => {
  const { client, behind } = await line()
  await proxy.fault({ is: 'cut', direction: 'to-server' })
  client.socket.write('question')
  await vi.waitFor(() => expect([behind.text, behind.ended]).toEqual(['ques', 'end']))
})

test('delay: what is sent comes later, and in its order', async () => {
  const { client, behind } = await line()
  await proxy.fault({ is: 'delay', ms: 60 })
  const since = performance.now()
  client.socket.write('one ')
  await once(behind.socket, 'data')
  expect(performance.now() - since).toBeGreaterThan(50)
  behind.socket.write('two')
  await vi.waitFor(() => expect(client.text).toBe('two'))
  expect(performance.now() - since).toBeGreaterThan(110)
})

test('throttle: it comes little by little', async () => {
  const { client, behind } = await line()
  await proxy.fault({ is: 'throttle', bytesPerSecond: 10_000 })
  const since = performance.now()
  client.socket.write('x'.repeat(2_000))
  await vi.waitFor(() => expect(behind.text.length).toBeGreaterThan(0))
  expect(behind.text.length).toBeLessThan(2_000)
  await vi.waitFor(() => expect(behind.text).toHaveLength(2_000))
  expect(performance.now() - since).toBeGreaterThan(150)
})

test.each(['to-client', 'to-server', 'both'] as const)(
  'freeze (%s): nothing goes that way, not even a farewell, until all is well; the other way goes on',
  async (direction) => {
    const { client, behind } = await line()
    await proxy.fault({ is: 'freeze', direction })
    client.socket.end('to the server')
    behind.socket.end('to the client')
    await sleep(A_WHILE_MS)
    expect([client.text, client.ended]).toEqual(direction === 'to-server' ? ['to the client', 'end'] : ['', 'no'])
    expect([behind.text, behind.ended]).toEqual(direction === 'to-client' ? ['to the server', 'end'] : ['', 'no'])
    await proxy.heal()
    await vi.waitFor(() => expect([client.text, client.ended]).toEqual(['to the client', 'end']))
    await vi.waitFor(() => expect([behind.text, behind.ended]).toEqual(['to the server', 'end']))
  },
)

test('freeze: the client does not even hear that its server is gone, until all is well', async () => {
  const { client, behind } = await line()
  await proxy.fault({ is: 'freeze', direction: 'to-client' })
  behind.socket.resetAndDestroy()
  client.socket.write('are you there?')
  await sleep(A_WHILE_MS)
  expect(client.ended).toBe('no')
  await proxy.heal()
  await vi.waitFor(() => expect(client.ended).toBe('reset'))
})

test('reset: both ends get a RST', async () => {
  const { client, behind } = await line()
  await proxy.fault({ is: 'reset' })
  await vi.waitFor(() => expect([client.ended, behind.ended]).toEqual(['reset', 'reset']))
})

test('half-close: one end hears a farewell, and what it goes on sending arrives', async () => {
  const { client, behind } = await line()
  await proxy.fault({ is: 'half-close', direction: 'to-client' })
  await vi.waitFor(() => expect(client.ended).toBe('end'))
  client.socket.write('I am still here')
  await vi.waitFor(() => expect(behind.text).toBe('I am still here'))
  expect(behind.ended).toBe('no')
})

test('a fault can be on one line alone', async () => {
  const [one, other] = [await line(), await line()]
  proxy.lines[0]?.fault({ is: 'freeze', direction: 'both' })
  one.client.socket.write('heard?')
  other.client.socket.write('heard?')
  await vi.waitFor(() => expect(other.behind.text).toBe('heard?'))
  expect(one.behind.text).toBe('')
  proxy.lines[0]?.heal()
  await vi.waitFor(() => expect(one.behind.text).toBe('heard?'))
})

test('new lines have the fault that is on', async () => {
  await proxy.fault({ is: 'freeze', direction: 'to-server' })
  const client = dial()
  client.socket.write('hello')
  await vi.waitFor(() => expect(served).toHaveLength(1))
  await sleep(A_WHILE_MS)
  expect(served[0]?.text).toBe('')
  await proxy.heal()
  await vi.waitFor(() => expect(served[0]?.text).toBe('hello'))
})

test('who dials after a redirection gets to the other server; lines that are up stay', async () => {
  const { client, behind } = await line()
  const other = await startServer()
  proxy.redirect({ port: portOf(other) })
  server.close()
  await line()
  client.socket.write('still you?')
  await vi.waitFor(() => expect(behind.text).toBe('still you?'))
  other.close()
})

test('a server that does not listen resets who dials', async () => {
  server.close()
  const client = dial()
  await vi.waitFor(() => expect(client.ended).toBe('reset'))
})
