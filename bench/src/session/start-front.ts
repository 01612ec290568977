import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface Front {
  readonly url: string
  /** Round trips through it so far. */
  roundTrips(): Promise<number>
  stop(): Promise<void>
}

/** Stands before the server in a process of its own, and delays each answer. */
export async function startFront(serverUrl: string, delayMs: number): Promise<Front> {
  const script = fileURLToPath(new URL('front.js', import.meta.url))
  const child = fork(script, [serverUrl, String(delayMs)], { execArgv: [] })
  const ended = once(child, 'exit')
  const failed = ended.then(() => {
    throw new Error('what stands before the server ended')
  })
  // Who waits for an answer gets to know; at the end nobody does.
  failed.catch(() => {})
  async function answer(): Promise<number> {
    const [number] = (await Promise.race([once(child, 'message'), failed])) as [number]
    return number
  }
  const url = new URL(serverUrl)
  url.port = String(await answer())
  return {
    url: url.href,
    async roundTrips() {
      child.send('count')
      return await answer()
    },
    async stop() {
      child.disconnect()
      await ended
    },
  }
}
