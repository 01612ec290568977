import { runInScope } from '@leasehold/core'
import { bareArray } from './contestants/bare-array.js'
import type { Contestant, OpenPool } from './contestants/contestant.js'
import { databasesConnectionPool } from './contestants/databases-connection-pool.js'
import { genericPool } from './contestants/generic-pool.js'
import { leasehold } from './contestants/leasehold.js'
import { lightningPool } from './contestants/lightning-pool.js'
import { mysql2 } from './contestants/mysql2.js'
import { pgPool } from './contestants/pg-pool.js'
import { tarn } from './contestants/tarn.js'
import { median, quantile } from './measure/median.js'
import { type Rounds, runRounds } from './measure/rounds.js'
import type { Stopwatch } from './measure/stopwatch.js'
import { timed } from './measure/timed.js'
import type { Report, Settings } from './report/report.js'
import { table } from './report/table.js'
import type { Target } from './report/target.js'
import { burst } from './workloads/burst.js'
import { sequential } from './workloads/sequential.js'
import { waitingHeap } from './workloads/waiting-heap.js'
import { workers } from './workloads/workers.js'

const OURS = leasehold('leasehold', 'adaptive')
const SITES_OFF = leasehold('leasehold, captureSites off', 'off')
const SITES_ALWAYS = leasehold('leasehold, captureSites always', 'always')
const CONTESTANTS: readonly Contestant[] = [
  OURS,
  SITES_OFF,
  SITES_ALWAYS,
  pgPool,
  tarn,
  genericPool,
  lightningPool,
  databasesConnectionPool,
  mysql2,
  bareArray,
]

const WORKLOADS = [
  {
    name: 'sequential',
    title: 'One caller after the other',
    run: sequential,
    leases: 50_000,
    atMost: { pgPool: 0.5, tarn: 0.3 },
  },
  { name: 'workers', title: '64 workers on 10 connections', run: workers, leases: 64 * 800, atMost: { pgPool: 0.45 } },
  { name: 'burst', title: 'A burst of 10,000 waiters', run: burst, leases: 10_000, atMost: { pgPool: 0.6 } },
] as const

const WAITERS = 10_000
const HEAP_AT_MOST = 1_024

interface Entered {
  readonly name: string
  readonly pool: OpenPool
}

/** Acquire and release on stubs: what the pools themselves cost, with no database behind them. */
export async function acquireAndRelease({ quick, stopwatch }: Settings): Promise<Report> {
  const entered = CONTESTANTS.map((contestant) => ({ name: contestant.name, pool: contestant.open() }))
  const texts: string[] = []
  const targets: Target[] = []
  const data: Record<string, unknown> = {}
  for (const workload of WORKLOADS) {
    const rounds = await race(workload, entered, { stopwatch, rounds: quick ? 7 : 25 })
    const latencies = await measureLatencies(workload, entered, quick ? 1 : 3)
    texts.push(`${workload.title}\n\n${timesTable(rounds, latencies)}`)
    for (const [peer, target] of Object.entries(workload.atMost)) {
      const { name } = peer === 'tarn' ? tarn : pgPool
      const what = `${workload.title}, against ${name}`
      targets.push({ what, bound: 'at most', target, measured: rounds.ratio(OURS.name, name) })
    }
    data[workload.name] = CONTESTANTS.map(({ name }) => ({
      name,
      nsPerLease: rounds.of(name),
      ratioToPgPool: rounds.ratio(name, pgPool.name),
      ratioToTarn: rounds.ratio(name, tarn.name),
      p99Us: latencies.get(name),
    }))
  }
  const heap = await measureHeap(entered)
  texts.push(`The heap of a waiting caller\n\n${heapTable(heap)}`)
  const measured = heap.get(OURS.name) ?? Number.NaN
  targets.push({ what: 'Bytes of heap for a waiting caller', bound: 'at most', target: HEAP_AT_MOST, measured })
  data['waitingHeapBytes'] = Object.fromEntries(heap)
  for (const { pool } of entered) await pool.close()
  return { name: 'acquire and release', text: texts.join('\n\n\n'), targets, data }
}

type Workload = (typeof WORKLOADS)[number]

function race(
  { run, leases }: Workload,
  entered: readonly Entered[],
  { stopwatch, rounds }: { readonly stopwatch: Stopwatch; readonly rounds: number },
): Promise<Rounds> {
  const racers = entered.map(({ name, pool }) => ({
    name,
    race: () =>
      inScope(async () => {
        await warmUp(pool)
        return (await stopwatch(() => run(pool, leases))) / leases
      }),
  }))
  return runRounds(racers, { rounds, cold: 2 })
}

/** The p99 of how long an acquire takes, in microseconds. Apart from the races: looking at the clock costs, too. */
async function measureLatencies(
  { run, leases }: Workload,
  entered: readonly Entered[],
  rounds: number,
): Promise<ReadonlyMap<string, number>> {
  const measured = new Map<string, number[]>(entered.map(({ name }) => [name, []]))
  const racers = entered.map(({ name, pool }) => ({
    name,
    race: () =>
      inScope(async () => {
        await warmUp(pool)
        const samples: number[] = []
        await run(timed(pool, samples), leases)
        const p99 = quantile(samples, 0.99)
        measured.get(name)?.push(p99)
        return p99
      }),
  }))
  const results = await runRounds(racers, { rounds, cold: 1 })
  return new Map(entered.map(({ name }) => [name, results.median(name)]))
}

async function measureHeap(entered: readonly Entered[]): Promise<ReadonlyMap<string, number>> {
  const measured = new Map<string, number>()
  for (const { name, pool } of entered) {
    const rounds: number[] = []
    for (let round = 0; round < 3; round += 1) {
      rounds.push(
        await inScope(async () => {
          await warmUp(pool)
          return waitingHeap(pool, WAITERS)
        }),
      )
    }
    measured.set(name, median(rounds))
  }
  return measured
}

/**
 * Everybody runs in the context of a request, as in a web service: Node's promise hooks are on for all, and there is one
 * AsyncLocalStorage. Only ours looks into it.
 */
function inScope<R>(work: () => Promise<R>): Promise<R> {
  return runInScope({ label: 'GET /bench' }, work)
}

/** All ten connections are open and lent at least once, whatever the pool did while the others ran. */
async function warmUp(pool: OpenPool): Promise<void> {
  await workers(pool, 1_280)
  await sequential(pool, 200)
}

function timesTable(rounds: Rounds, latencies: ReadonlyMap<string, number>): string {
  return table(
    ['', 'ns a lease', 'p99 µs', '÷ pg-pool', '÷ tarn'],
    CONTESTANTS.map(({ name }) => [
      name,
      rounds.median(name).toFixed(0),
      (latencies.get(name) ?? Number.NaN).toFixed(1),
      rounds.ratio(name, pgPool.name).toFixed(3),
      rounds.ratio(name, tarn.name).toFixed(3),
    ]),
  )
}

function heapTable(heap: ReadonlyMap<string, number>): string {
  return table(
    ['', 'bytes'],
    CONTESTANTS.map(({ name }) => [name, (heap.get(name) ?? Number.NaN).toFixed(0)]),
  )
}
