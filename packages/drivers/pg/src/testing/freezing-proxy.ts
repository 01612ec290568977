import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** Stands before a server and can stop passing anything on, as a cut network does: no end, no reset, no answer. */
export async function freezingProxy(url: string): Promise<{ readonly url: string; freeze(): void; close(): void }> {
  const target = new URL(url)
  const { hostname, port } = target
  const sockets = new Set<Socket>()
  let isFrozen = false
  const server = createServer((front) => {
    sockets.add(front.on('error', () => {}))
    if (isFrozen) {
      front.pause()
      return
    }
    const behind = connect(Number(port), hostname)
    sockets.add(behind.on('error', () => {}))
    front.pipe(behind).pipe(front)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  target.port = String((server.address() as { port: number }).port)
  return {
    url: target.href,
    freeze() {
      isFrozen = true
      for (const socket of sockets) socket.unpipe().pause()
    },
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
