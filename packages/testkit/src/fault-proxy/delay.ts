import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { write } from './write.js'

/** Sends it after a while. */
export async function delay(to: Socket, chunk: Buffer, ms: number): Promise<void> {
  await sleep(ms)
  await write(to, chunk)
}
