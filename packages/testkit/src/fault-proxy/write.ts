import type { Socket } from 'node:net'

/** Resolves when the operating system has taken it; what nobody can receive any more is dropped. */
export function write(to: Socket, chunk: Buffer): Promise<void> {
  if (!to.writable) return Promise.resolve()
  // The callback comes with the socket's error too, which its owner sees.
  return new Promise((resolve) => to.write(chunk, () => resolve()))
}
