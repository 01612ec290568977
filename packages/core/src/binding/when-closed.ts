/** What of a socket is needed here. */
interface Closable {
  once(event: 'close', listener: () => void): unknown
  off(event: 'close', listener: () => void): unknown
}

interface Waiting {
  readonly callbacks: Set<() => void>
  readonly listener: () => void
}

const waiting = new WeakMap<Closable, Waiting>()

/**
 * Calls `callback` when the socket closes; returns what takes that back. Node warns of a leak where more than ten listen to
 * one emitter, and a client may have sent any number of requests down the same pipe: so only one listens for them all.
 */
export function whenClosed(socket: Closable, callback: () => void): () => void {
  const of = waiting.get(socket) ?? listenTo(socket)
  of.callbacks.add(callback)
  return () => {
    of.callbacks.delete(callback)
    if (of.callbacks.size > 0 || waiting.get(socket) !== of) return
    waiting.delete(socket)
    socket.off('close', of.listener)
  }
}

function listenTo(socket: Closable): Waiting {
  const callbacks = new Set<() => void>()
  const listener = (): void => {
    waiting.delete(socket)
    for (const callback of callbacks) callback()
  }
  const of = { callbacks, listener }
  waiting.set(socket, of)
  socket.once('close', listener)
  return of
}
