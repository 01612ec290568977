import { AsyncLocalStorage } from 'node:async_hooks'
import { runInScope } from '@leasehold/core'
import { quantile } from '../measure/median.js'
import type { QueriesAnswer, QueriesQuestion } from './start-queries.js'

export interface Answering {
  /** Whether it runs on our pool. */
  readonly isOurs: boolean
  /** The `number`th of the `each` that a caller asks for. */
  readonly ask: (caller: number, number: number, each: number) => PromiseLike<unknown>
  /** How many go ahead of each measurement, and how many before the first of all. */
  readonly ahead: number
  readonly warmUp: number
}

/** Answers the parent of this process, which says how many queries to run, and by how many callers. */
export async function answerQueries({ isOurs, ask, ahead, warmUp }: Answering): Promise<void> {
  const contexts = new AsyncLocalStorage<object>()
  /** Every caller in a context of its own, as a request has: in a scope of ours, or in any. */
  const inContext = (work: () => Promise<void>): Promise<void> =>
    isOurs ? runInScope({ label: 'GET /bench' }, work) : contexts.run({}, work)

  async function runAll(callers: number, queries: number): Promise<number[]> {
    const latencies: number[] = []
    const each = Math.ceil(queries / callers)
    const caller = async (_: unknown, at: number): Promise<void> =>
      inContext(async () => {
        for (let number = 0; number < each; number += 1) {
          const since = performance.now()
          await ask(at, number, each)
          latencies.push(performance.now() - since)
        }
      })
    await Promise.all(Array.from({ length: callers }, caller))
    return latencies
  }

  async function run({ callers, queries }: QueriesQuestion): Promise<QueriesAnswer> {
    await runAll(callers, Math.max(callers, ahead))
    const since = performance.now()
    const before = process.cpuUsage()
    const latencies = await runAll(callers, queries)
    const { user, system } = process.cpuUsage(before)
    const seconds = (performance.now() - since) / 1_000
    return {
      perSecond: latencies.length / seconds,
      p99Ms: quantile(latencies, 0.99),
      cpuMicros: (user + system) / latencies.length,
    }
  }

  // V8 has seen all that it needs to before anything is measured, and as it comes then: who asks alone takes other branches
  // than ten together, and these than a hundred, who wait for a connection. What has more code needs longer for that; a
  // service runs for days.
  await runAll(100, warmUp)
  await runAll(10, warmUp)
  await runAll(1, warmUp / 2)
  process.on('message', (question: QueriesQuestion) => void run(question).then((answer) => process.send?.(answer)))
  // The parent has gone: so does the process, connections and all.
  process.once('disconnect', () => process.exit(0))
}
