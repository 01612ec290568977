import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A door to a server, on a port of its own, that can be shut and opened again: to its clients, the server was restarted. */
export interface RestartableFront {
  readonly port: number
  /** How many clients have come in since it was first opened. */
  readonly accepted: number
  /** Ends every connection, and refuses new ones. */
  shut(): Promise<void>
  open(): Promise<void>
}

export async function openRestartableFront(target: {
  readonly host: string
  readonly port: number
}): Promise<RestartableFront> {
  const sockets = new Set<Socket>()
  let accepted = 0
  const server = createServer((client) => {
    accepted += 1
    const upstream = connect(target.port, target.host)
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket)
      socket
        .on('error', () => {})
        .on('close', () => {
          sockets.delete(socket)
          other.destroy()
        })
      socket.pipe(other)
    }
  })
  const listen = async (port: number): Promise<void> => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  await listen(0)
  const { port } = server.address() as { port: number }
  return {
    port,
    get accepted() {
      return accepted
    },
    async shut() {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
    open: () => listen(port),
  }
}
