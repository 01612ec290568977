import { CONTESTANTS, OURS } from './contestants/contestants.js'
import { pgPool } from './contestants/pg-pool.js'
import { tarn } from './contestants/tarn.js'
import { median } from './measure/median.js'
import { type Rounds, runRounds } from './measure/rounds.js'
import { cpuTime } from './measure/stopwatch.js'
import type { Report, Settings } from './report/report.js'
import { table } from './report/table.js'
import type { Target } from './report/target.js'
import { startStubRacer, type StubQuestion, type StubRacer } from './stubs/start-stub-racer.js'

const RACES = [
  { name: 'sequential', title: 'One caller after the other', atMost: { pgPool: 0.5, tarn: 0.3 } },
  { name: 'workers', title: '64 workers on 10 connections', atMost: { pgPool: 0.45 } },
  { name: 'burst', title: 'A burst of 10,000 waiters', atMost: { pgPool: 0.6 } },
] as const

const WAITERS = 10_000
const HEAP_AT_MOST = 1_024
const HEAP_ROUNDS = 3

interface Entered {
  readonly name: string
  readonly racer: StubRacer
}

/** Acquire and release on stubs: what the pools themselves cost, with no database behind them. */
export async function acquireAndRelease({ quick, stopwatch }: Settings): Promise<Report> {
  const entered = CONTESTANTS.map(({ name }) => ({ name, racer: startStubRacer(name) }))
  const by = stopwatch === cpuTime ? 'cpu' : 'wall'
  const texts: string[] = []
  const targets: Target[] = []
  const data: Record<string, unknown> = {}
  for (const { name: workload, title, atMost } of RACES) {
    const rounds = await race(entered, { ask: 'time', workload, by }, { rounds: quick ? 7 : 17, cold: 2 })
    const latencies = await race(entered, { ask: 'latency', workload }, { rounds: quick ? 1 : 3, cold: 1 })
    texts.push(`${title}\n\n${timesTable(rounds, latencies)}`)
    for (const [peer, target] of Object.entries(atMost)) {
      const { name } = peer === 'tarn' ? tarn : pgPool
      targets.push({
        what: `${title}, against ${name}`,
        bound: 'at most',
        target,
        measured: rounds.ratio(OURS.name, name),
      })
    }
    data[workload] = CONTESTANTS.map(({ name }) => ({
      name,
      nsPerLease: rounds.of(name),
      ratioToPgPool: rounds.ratio(name, pgPool.name),
      ratioToTarn: rounds.ratio(name, tarn.name),
      p99Us: latencies.median(name),
    }))
  }
  const heap = await measureHeap(entered)
  texts.push(`The heap of a waiting caller\n\n${heapTable(heap)}`)
  const measured = heap.get(OURS.name) ?? Number.NaN
  targets.push({ what: 'Bytes of heap for a waiting caller', bound: 'at most', target: HEAP_AT_MOST, measured })
  data['waitingHeapBytes'] = Object.fromEntries(heap)
  for (const { racer } of entered) await racer.stop()
  return { name: 'acquire and release', text: texts.join('\n\n\n'), targets, data }
}

function race(
  entered: readonly Entered[],
  question: StubQuestion,
  rounds: { readonly rounds: number; readonly cold: number },
): Promise<Rounds> {
  const racers = entered.map(({ name, racer }) => ({ name, race: () => racer.run(question) }))
  return runRounds(racers, rounds)
}

async function measureHeap(entered: readonly Entered[]): Promise<ReadonlyMap<string, number>> {
  const measured = new Map<string, number>()
  for (const { name, racer } of entered) {
    const rounds: number[] = []
    for (let round = 0; round < HEAP_ROUNDS; round += 1) rounds.push(await racer.run({ ask: 'heap', waiters: WAITERS }))
    measured.set(name, median(rounds))
  }
  return measured
}

function timesTable(rounds: Rounds, latencies: Rounds): string {
  return table(
    ['', 'ns a lease', 'p99 µs', '÷ pg-pool', '÷ tarn'],
    CONTESTANTS.map(({ name }) => [
      name,
      rounds.median(name).toFixed(0),
      latencies.median(name).toFixed(1),
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
