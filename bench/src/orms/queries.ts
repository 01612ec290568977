// One ORM on one kind of pool, in a process of its own: `node queries.js <ORM> <pooling>`, with the database in
// DATABASE_URL. Told by its parent how many queries to run, and by how many callers.
import { AsyncLocalStorage } from 'node:async_hooks'
import { runInScope } from '@leasehold/core'
import { quantile } from '../measure/median.js'
import { openDrizzle } from './open-drizzle.js'
import { openKnex } from './open-knex.js'
import { openPrisma } from './open-prisma.js'
import type { OpenOrm, OrmName, Pooling } from './orm.js'
import type { QueriesAnswer, QueriesQuestion } from './start-queries.js'

const OPEN: Readonly<Record<OrmName, OpenOrm>> = { Knex: openKnex, Drizzle: openDrizzle, Prisma: openPrisma }
const ORDERS = 1_000

const [name, pooling] = process.argv.slice(2) as [OrmName, Pooling]
const orm = await OPEN[name](pooling, process.env['DATABASE_URL'] ?? '')
const contexts = new AsyncLocalStorage<object>()

/** Every caller in a context of its own, as a request has: in a scope of ours, or in any. */
function inContext(work: () => Promise<void>): Promise<void> {
  return pooling === 'ours' ? runInScope({ label: 'GET /bench' }, work) : contexts.run({}, work)
}

async function find(callers: number, queries: number): Promise<number[]> {
  const latencies: number[] = []
  const each = Math.ceil(queries / callers)
  await Promise.all(
    Array.from({ length: callers }, (_, caller) =>
      inContext(async () => {
        for (let query = 0; query < each; query += 1) {
          const since = performance.now()
          await orm.find(1 + ((caller * each + query) % ORDERS))
          latencies.push(performance.now() - since)
        }
      }),
    ),
  )
  return latencies
}

async function run({ callers, queries }: QueriesQuestion): Promise<QueriesAnswer> {
  await find(callers, Math.max(callers, 50))
  const since = performance.now()
  const before = process.cpuUsage()
  const latencies = await find(callers, queries)
  const { user, system } = process.cpuUsage(before)
  const seconds = (performance.now() - since) / 1_000
  return {
    perSecond: latencies.length / seconds,
    p99Ms: quantile(latencies, 0.99),
    cpuMicros: (user + system) / latencies.length,
  }
}

// V8 has seen all that it needs to before anything is measured.
await find(10, 10_000)
process.on('message', (question: QueriesQuestion) => void run(question).then((answer) => process.send?.(answer)))
// The parent has gone: so does the process, connections and all.
process.once('disconnect', () => process.exit(0))
