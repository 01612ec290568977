import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface PostgresServer {
  readonly url: string
  stop(): Promise<void>
}

/** The PostgreSQL of the tests, or the one that DATABASE_URL names, looked after by a process of its own. */
export async function startPostgres(): Promise<PostgresServer> {
  const script = fileURLToPath(new URL('../../src/postgres/serve.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const said = createInterface({ input: child.stdout })
  const [url] = (await Promise.race([once(said, 'line'), ended.then(() => [])])) as [string?]
  if (url === undefined) throw new Error('PostgreSQL did not start')
  return {
    url,
    async stop() {
      child.stdin.end()
      await ended
    },
  }
}
