import type { Socket } from 'node:net'
import { write } from './write.js'

/** Sends the first half of it. What follows is the end of the line. */
export function cut(to: Socket, chunk: Buffer): Promise<void> {
  return write(to, chunk.subarray(0, Math.ceil(chunk.length / 2)))
}
