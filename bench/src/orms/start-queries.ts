import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { OrmName, Pooling } from './orm.js'

export interface QueriesQuestion {
  readonly callers: number
  readonly queries: number
}

export interface QueriesAnswer {
  readonly perSecond: number
  readonly p99Ms: number
  /** What a query took of the processor, in the process of the ORM. */
  readonly cpuMicros: number
}

export interface Queries {
  run(question: QueriesQuestion): Promise<QueriesAnswer>
  stop(): Promise<void>
}

/** An ORM on a pool, in a process of its own. */
export function startQueries(orm: OrmName, pooling: Pooling, databaseUrl: string): Queries {
  const child = fork(fileURLToPath(new URL('queries.js', import.meta.url)), [orm, pooling], {
    env: { ...process.env, DATABASE_URL: databaseUrl, NODE_ENV: 'production' },
    execArgv: [],
  })
  const ended = once(child, 'exit')
  return {
    async run(question) {
      const answered = once(child, 'message')
      child.send(question)
      const failed = ended.then(() => {
        throw new Error(`the process of ${orm} (${pooling}) ended`)
      })
      const [answer] = (await Promise.race([answered, failed])) as [QueriesAnswer]
      return answer
    },
    async stop() {
      child.disconnect()
      await ended
    },
  }
}
