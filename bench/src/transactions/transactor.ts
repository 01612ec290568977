// One kind of transactions in a process of its own: `node transactor.js <name> <way>`, with the database in DATABASE_URL.
// Told by its parent how many to run, and by how many callers.
import { AsyncLocalStorage } from 'node:async_hooks'
import { runInScope } from '@leasehold/core'
import { quantile } from '../measure/median.js'
import type { QueriesAnswer, QueriesQuestion } from '../orms/start-queries.js'
import { TRANSACTORS, type TransactorName, type Way } from './transactors.js'

const ROWS_OF_ONE = 10

const [name, way] = process.argv.slice(2) as [TransactorName, Way]
const transact = await TRANSACTORS[name](way, process.env['DATABASE_URL'] ?? '')
const contexts = new AsyncLocalStorage<object>()

/** Every caller in a context of its own, as a request has: in a scope of ours, or in any. */
function inContext(work: () => Promise<void>): Promise<void> {
  return way === 'own' ? contexts.run({}, work) : runInScope({ label: 'GET /bench' }, work)
}

async function runAll(callers: number, transactions: number): Promise<number[]> {
  const latencies: number[] = []
  const each = Math.ceil(transactions / callers)
  await Promise.all(
    Array.from({ length: callers }, (_, caller) =>
      inContext(async () => {
        for (let number = 0; number < each; number += 1) {
          const since = performance.now()
          // Rows of its own, so that nobody waits for another one's lock.
          await transact(1 + caller * ROWS_OF_ONE + (number % ROWS_OF_ONE))
          latencies.push(performance.now() - since)
        }
      }),
    ),
  )
  return latencies
}

async function run({ callers, queries }: QueriesQuestion): Promise<QueriesAnswer> {
  await runAll(callers, Math.max(callers, 20))
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

// V8 has seen all that it needs to before anything is measured.
await runAll(10, 4_000)
process.on('message', (question: QueriesQuestion) => void run(question).then((answer) => process.send?.(answer)))
// The parent has gone: so does the process, connections and all.
process.once('disconnect', () => process.exit(0))
