import { Rounds, runRounds } from './measure/rounds.js'
import { cpuTime } from './measure/stopwatch.js'
import type { OrmName, Pooling } from './orms/orm.js'
import { type Queries, type QueriesAnswer, startQueries } from './orms/start-queries.js'
import { createOrders } from './postgres/create-orders.js'
import { startPostgres } from './postgres/start-postgres.js'
import type { Report, Settings } from './report/report.js'
import { table } from './report/table.js'
import type { Target } from './report/target.js'

const ORMS: readonly OrmName[] = ['Knex', 'Drizzle', 'Prisma']
const POOLINGS: readonly Pooling[] = ['ours', 'own']
const WORKLOADS = [
  { callers: 1, queries: 500 },
  { callers: 10, queries: 1_500 },
  { callers: 100, queries: 3_000 },
] as const

const THROUGHPUT_AT_LEAST = 0.97
const P99_AT_MOST = 1.05

type Figure = keyof QueriesAnswer

interface Entered {
  readonly orm: OrmName
  readonly pooling: Pooling
  readonly queries: Queries
}

/** Each ORM on our pool and on its own, one row by its primary key, in processes of their own. */
export async function ormQueries({ quick, stopwatch }: Settings): Promise<Report> {
  const server = await startPostgres()
  await createOrders(server.url)
  // On a machine that is not quiet the processor's time says what the throughput would be.
  const speed: Figure = stopwatch === cpuTime ? 'cpuMicros' : 'perSecond'
  const rows: string[][] = []
  const targets: Target[] = []
  const data: object[] = []
  for (const orm of ORMS) {
    // Those that are compared, and nobody else: every process that is there takes its share of the machine.
    const entered = POOLINGS.map((pooling): Entered => ({
      orm,
      pooling,
      queries: startQueries(orm, pooling, server.url),
    }))
    for (const workload of WORKLOADS) {
      const figures = await race(entered, workload, quick ? 7 : 15)
      const ours = (figure: Figure): number => figures[figure].ratio(keyOf(orm, 'ours'), keyOf(orm, 'own'))
      const throughput = speed === 'perSecond' ? ours(speed) : 1 / ours(speed)
      const what = `${orm}, ${workload.callers} ${workload.callers === 1 ? 'caller' : 'callers'}`
      rows.push([what, ...cells(figures, orm), throughput.toFixed(3), ours('p99Ms').toFixed(3)])
      targets.push(
        { what: `${what}: throughput`, bound: 'at least', target: THROUGHPUT_AT_LEAST, measured: throughput },
        { what: `${what}: p99`, bound: 'at most', target: P99_AT_MOST, measured: ours('p99Ms') },
      )
      for (const pooling of POOLINGS) data.push(dataOf(figures, { orm, pooling, callers: workload.callers }))
    }
    for (const { queries } of entered) await queries.stop()
  }
  await server.stop()
  const columns = ['', 'own pool/s', 'ours/s', 'own p99 ms', 'ours', 'own CPU µs', 'ours', 'throughput', 'p99']
  return { name: 'ORMs', text: table(columns, rows), targets, data }
}

type Figures = Readonly<Record<Figure, Rounds>>

async function race(
  entered: readonly Entered[],
  question: (typeof WORKLOADS)[number],
  rounds: number,
): Promise<Figures> {
  const cold = 2
  const answers = new Map<string, QueriesAnswer[]>()
  const racers = entered.map(({ orm, pooling, queries }) => ({
    name: keyOf(orm, pooling),
    async race() {
      const answer = await queries.run(question)
      answers.set(keyOf(orm, pooling), [...(answers.get(keyOf(orm, pooling)) ?? []), answer])
      return answer.perSecond
    },
  }))
  const perSecond = await runRounds(racers, { rounds, cold })
  return { perSecond, p99Ms: roundsOf('p99Ms'), cpuMicros: roundsOf('cpuMicros') }

  function roundsOf(figure: Figure): Rounds {
    return new Rounds(
      new Map([...answers].map(([name, all]) => [name, all.slice(cold).map((answer) => answer[figure])])),
    )
  }
}

function cells(figures: Figures, orm: OrmName): string[] {
  return (['perSecond', 'p99Ms', 'cpuMicros'] as const).flatMap((figure) =>
    (['own', 'ours'] as const).map((pooling) =>
      figures[figure].median(keyOf(orm, pooling)).toFixed(figure === 'p99Ms' ? 2 : 0),
    ),
  )
}

function dataOf(
  figures: Figures,
  { orm, pooling, callers }: { readonly orm: OrmName; readonly pooling: Pooling; readonly callers: number },
): object {
  const { perSecond, p99Ms, cpuMicros } = figures
  const name = keyOf(orm, pooling)
  return { orm, pooling, callers, perSecond: perSecond.of(name), p99Ms: p99Ms.of(name), cpuMicros: cpuMicros.of(name) }
}

function keyOf(orm: OrmName, pooling: Pooling): string {
  return `${orm} on ${pooling}`
}
