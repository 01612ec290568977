import { setTimeout as sleep } from 'node:timers/promises'
import { createSchema } from '@leasehold/example-orders'
import { createPgPool, type LeasedPgPool } from '@leasehold/pg'
import { runClients } from './client-process.js'
import { fillAccounts } from './fill-accounts.js'
import { LeakLog } from './leak-log.js'
import { PairLog } from './pair-log.js'
import type { Progress } from './progress.js'
import { settings } from './settings.js'
import { type Pair, startPairs } from './start-pairs.js'
import { sumOfBalances } from './sum-of-balances.js'
import { summarize, type Summary } from './summary.js'

/** Puts all services on one pool, and that under load. */
export async function runLoad(
  connectionString: string,
  seconds: number,
  signal: AbortSignal,
  progress: Progress,
): Promise<Summary> {
  const pool = createPgPool({
    connectionString,
    max: settings.maxConnections,
    leasehold: {
      name: 'orders',
      leakAfterMs: settings.leakAfterMs,
      // Each of the 45 wrong routes is called a few times only. By default, the pool would name its line from the second
      // leak on.
      captureSites: 'always',
    },
  })
  const leaks = new LeakLog(pool)
  const leases = new PairLog(pool)
  // What is not load has a connection of its own, so that it is not counted.
  const aside = createPgPool({ connectionString, max: 1 })
  const pairs: Pair[] = []
  try {
    await createSchema(aside)
    await fillAccounts(aside)
    for await (const pair of startPairs(pool)) pairs.push(pair)
    // What each of them does at its first request, and never again, is no part of the load.
    await Promise.all(pairs.map(({ service: { url } }) => fetch(`${url}/accounts/1`)))
    const before = await sumOfBalances(aside)
    const urls = Object.fromEntries(pairs.map(({ name, service: { url } }) => [name, url]))
    const clients = await runClients({ seconds, urls }, signal, (at, counts) =>
      progress.show(at, counts, pool.snapshot()),
    )
    await untilNobodyWorks(pool)
    const after = pool.snapshot()
    const balanceCents = { before, after: await sumOfBalances(aside) }
    return summarize({ seconds, pairs, clients, after, leaks, leases, balanceCents })
  } finally {
    await Promise.all(pairs.map(({ service }) => service.close()))
    await Promise.all([pool.close(), aside.close()])
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
