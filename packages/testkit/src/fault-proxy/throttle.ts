import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { write } from './write.js'

const SLICES_PER_SECOND = 50

/** Sends it little by little. */
export async function throttle(to: Socket, chunk: Buffer, bytesPerSecond: number): Promise<void> {
  const slice = Math.max(1, Math.floor(bytesPerSecond / SLICES_PER_SECOND))
  for (let at = 0; at < chunk.length && to.writable; at += slice) {
    await sleep((1_000 * slice) / bytesPerSecond)
    await write(to, chunk.subarray(at, at + slice))
  }
}
