import { setTimeout as sleep } from 'node:timers/promises'
import { createPgPool, type LeasedPgPool } from '@leasehold/pg'
import { createDatabase, startPostgres } from '@leasehold/testkit/postgres'
import { buildApp } from '../src/app.js'
import { createSchema } from '../src/create-schema.js'
import { fillAccounts, sumOfBalances } from './accounts.js'
import { runClients } from './client-process.js'
import { LeakLog } from './leak-log.js'
import { paintFor } from './paint.js'
import { Progress } from './progress.js'
import { settings } from './settings.js'
import { summarize, type Summary } from './summary.js'
import { table } from './table.js'

const wantsJson = process.argv.includes('--json')
const screen = wantsJson ? process.stderr : process.stdout
const progress = new Progress(screen, paintFor(screen))
const interrupted = new AbortController()
process.once('SIGINT', () => interrupted.abort())

async function run(url: string): Promise<Summary> {
  const pool = createPgPool({
    connectionString: url,
    max: settings.maxConnections,
    leasehold: { name: 'orders', leakAfterMs: settings.leakAfterMs },
  })
  const leaks = new LeakLog(pool)
  const { app, knex } = await buildApp({ pool, withMistakes: true })
  try {
    await createSchema(knex)
    await fillAccounts(knex)
    const before = await sumOfBalances(knex)
    const address = await app.listen({ host: '127.0.0.1', port: 0 })
    const clients = await runClients(address, interrupted.signal, (report) => progress.show(report, pool.snapshot()))
    await untilNobodyWorks(pool)
    const after = pool.snapshot()
    return summarize(clients, after, leaks, { before, after: await sumOfBalances(knex) })
  } finally {
    await app.close()
  }
}

/** A request may go on after its client has gone. Ten seconds is far more than it can take, unless something is stuck. */
async function untilNobodyWorks(pool: LeasedPgPool): Promise<void> {
  for (let quiet = 0, tries = 0; quiet < 3 && tries < 100; tries += 1) {
    await sleep(100)
    const { connections, waiting } = pool.snapshot()
    quiet = connections.lent + connections.recycling + waiting.count === 0 ? quiet + 1 : 0
  }
}

async function demonstrate(): Promise<Summary> {
  progress.begin()
  progress.say('starting PostgreSQL …')
  const postgres = await startPostgres()
  try {
    const database = await createDatabase(postgres)
    try {
      return await run(database.url)
    } finally {
      await database.drop()
    }
  } finally {
    await postgres.stop()
  }
}

try {
  const summary = await demonstrate()
  progress.end()
  console.log(wantsJson ? JSON.stringify(summary) : `${table(summary, paintFor(process.stdout))}\n`)
  process.exitCode = summary.ok ? 0 : 1
} catch (error) {
  progress.end()
  if (!interrupted.signal.aborted) console.error(error)
  process.exitCode = interrupted.signal.aborted ? 130 : 1
}
