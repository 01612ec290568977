import type { Socket } from 'node:net'

type Listener = () => void

/** Who waits for the close of which socket. */
const waiting = new WeakMap<Socket, Set<Listener>>()

/**
 * Calls `listener` once when the socket closes. However many wait for one socket, it has one listener of ours: a client
 * may send dozens of requests in one go, and Node takes more than ten listeners for a leak, and warns.
 *
 * @returns stops waiting. The last one that does leaves no listener on the socket.
 */
export function whenSocketCloses(socket: Socket, listener: Listener): () => void {
  const listeners = waiting.get(socket) ?? listenTo(socket)
  listeners.add(listener)
  return () => {
    if (!listeners.delete(listener) || listeners.size > 0) return
    stopListening(socket)
  }
}

const onClose = function (this: Socket): void {
  const listeners = waiting.get(this)
  stopListening(this)
  for (const listener of listeners ?? []) listener()
}

function listenTo(socket: Socket): Set<Listener> {
  const listeners = new Set<Listener>()
  waiting.set(socket, listeners)
  socket.on('close', onClose)
  return listeners
}

function stopListening(socket: Socket): void {
  waiting.delete(socket)
  socket.off('close', onClose)
}
