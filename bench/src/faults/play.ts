// Started by start-play.ts with tsx, because testkit is never built: `play.ts <contestant>`. Prints a line of JSON for each
// trouble, on servers of its own.
import { setTimeout as sleep } from 'node:timers/promises'
import { type FaultProxy, startFaultProxy } from '@leasehold/testkit/fault-proxy'
import {
  askOf,
  failoverTroubles,
  judgeWrittenRows,
  NETWORK_TROUBLES,
  playTrouble,
  SERVER_TROUBLES,
  SteadyLoad,
  type Trouble,
  WRITTEN_ROWS,
} from '@leasehold/testkit/faults'
import { type RestartablePostgres, startRestartablePostgres, startStandby } from '@leasehold/testkit/postgres'
import { CONTESTANTS, type Contestant } from './contestants.js'
import type { Played } from './played.js'

const APPLICATION = 'leasehold-faults'
const SETTLE_MS = 3_000

const open = CONTESTANTS[process.argv[2] ?? '']
if (open === undefined) throw new Error(`there is no contestant ${process.argv[2]}`)

const settings = { max_connections: '20', superuser_reserved_connections: '1' }
const server = await startRestartablePostgres(settings)
await askOf(server)(WRITTEN_ROWS)
for (const trouble of [...NETWORK_TROUBLES, ...SERVER_TROUBLES]) {
  const proxy = await startFaultProxy(server)
  await askOf(server)('truncate written_rows')
  await play(trouble, server, proxy, server)
}
await server.stop()
for (const kind of ['crash', 'demotion'] as const) {
  const primary = await startRestartablePostgres(settings)
  await askOf(primary)(WRITTEN_ROWS)
  const standby = await startStandby(primary)
  await play(failoverTroubles(standby)[kind], primary, await startFaultProxy(primary), standby)
  await Promise.all([primary.stop(), standby.stop()])
}
// What somebody has left waiting is not to keep the process.
process.exit(0)

/** `last` is the server that is to have it all in the end. */
async function play(
  trouble: Trouble,
  first: RestartablePostgres,
  proxy: FaultProxy,
  last: RestartablePostgres,
): Promise<void> {
  const contestant = await (open as NonNullable<typeof open>)(proxy.through(first.url), APPLICATION)
  const load = new SteadyLoad(contestant.writers, { callersEach: contestant.callersEach })
  const stage = { proxy, server: first, applicationName: APPLICATION, ask: askOf(first) }
  const { journal, notBack: _, ...aftermath } = await playTrouble(trouble, load, stage)
  await Promise.race([load.stop(), sleep(SETTLE_MS)])
  const left = await leftoversOf(contestant)
  const neverTold = journal.attempts.filter(({ outcome }) => outcome === undefined).length
  const verdict = await judgeWrittenRows(askOf(last), journal)
  const played: Played = { ...aftermath, neverTold, lost: verdict.lost.length, twice: verdict.twice.length, left }
  process.stdout.write(`${JSON.stringify(played)}\n`)
  await proxy.close()
  await Promise.race([contestant.close().catch(() => {}), sleep(SETTLE_MS)])
}

/** After a moment in which it may settle. */
async function leftoversOf(contestant: Contestant): Promise<number> {
  const until = performance.now() + SETTLE_MS
  for (;;) {
    const left = Object.values(contestant.leftovers()).reduce((sum, count) => sum + count, 0)
    if (left === 0 || performance.now() > until) return left
    await sleep(20)
  }
}
