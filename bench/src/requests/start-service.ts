import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** On our pool; on Knex's own; on Knex's own, with an AsyncLocalStorage that every request runs in, as it does in ours. */
export type ServiceKind = 'leasehold' | 'knex' | 'knex-in-context'

export interface Service {
  readonly url: string
  /** What its process has used of the processor so far, in microseconds. */
  cpuMicros(): Promise<number>
  stop(): Promise<void>
}

export async function startService(kind: ServiceKind, databaseUrl: string): Promise<Service> {
  const child = fork(fileURLToPath(new URL('service.js', import.meta.url)), [kind], {
    env: { ...process.env, DATABASE_URL: databaseUrl, NODE_ENV: 'production' },
    execArgv: [],
  })
  const ended = once(child, 'exit')
  const failed = ended.then(() => {
    throw new Error(`the service ${kind} ended`)
  })
  // Who waits for an answer gets to know; at the end nobody does.
  failed.catch(() => {})
  async function answer<Message>(): Promise<Message> {
    const [message] = (await Promise.race([once(child, 'message'), failed])) as [Message]
    return message
  }
  const { port } = await answer<{ port: number }>()
  return {
    url: `http://127.0.0.1:${port}`,
    async cpuMicros() {
      child.send('cpu')
      return (await answer<{ cpuMicros: number }>()).cpuMicros
    },
    async stop() {
      child.disconnect()
      await ended
    },
  }
}
