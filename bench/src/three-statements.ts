import { fileURLToPath } from 'node:url'
import { startAnsweringProcess } from './measure/answering-process.js'
import { Rounds, runRounds } from './measure/rounds.js'
import { cpuTime } from './measure/stopwatch.js'
import type { Queries, QueriesAnswer } from './orms/start-queries.js'
import { createOrders } from './postgres/create-orders.js'
import { startPostgres } from './postgres/start-postgres.js'
import type { Report, Settings } from './report/report.js'
import { table } from './report/table.js'
import type { Target } from './report/target.js'
import type { TransactorName, Way } from './transactions/transactors.js'

const NAMES: readonly TransactorName[] = ['pg', 'Knex', 'Drizzle', 'Prisma']
const WAYS: readonly Way[] = ['own', 'ours', 'declared']
const WORKLOADS = [
  { callers: 1, queries: 150 },
  { callers: 10, queries: 300 },
  { callers: 50, queries: 400 },
] as const

const THROUGHPUT_AT_LEAST = 0.95

type Figure = 'perSecond' | 'cpuMicros'

/** A transaction of three statements: of each ORM on our pool and on its own, and as a part of `pool.transaction`. */
export async function threeStatements({ quick, stopwatch }: Settings): Promise<Report> {
  const server = await startPostgres()
  await createOrders(server.url)
  const rows: string[][] = []
  const targets: Target[] = []
  const data: object[] = []
  const script = fileURLToPath(new URL('transactions/transactor.js', import.meta.url))
  for (const name of NAMES) {
    // Those that are compared, and nobody else: every process that is there takes its share of the machine.
    const entered = WAYS.map((way): readonly [Way, Queries] => [
      way,
      startAnsweringProcess(script, [name, way], { databaseUrl: server.url }),
    ])
    for (const workload of WORKLOADS) {
      const figures = await race(entered, workload, quick ? 5 : 15)
      for (const way of WAYS) {
        const throughput = figures.perSecond.ratio(way, 'own')
        const byCpu = 1 / figures.cpuMicros.ratio(way, 'own')
        const callers = `${workload.callers} ${workload.callers === 1 ? 'caller' : 'callers'}`
        const what = `${name}, ${way}, ${callers}`
        const [perSecond, micros] = [figures.perSecond.median(way), figures.cpuMicros.median(way)]
        rows.push([what, perSecond.toFixed(0), micros.toFixed(0), throughput.toFixed(3), byCpu.toFixed(3)])
        data.push({ what, perSecond: figures.perSecond.of(way), cpuMicros: figures.cpuMicros.of(way) })
        if (way === 'own') continue
        // On a machine that is not quiet the processor's time says what the throughput would be.
        const measured = stopwatch === cpuTime ? byCpu : throughput
        targets.push({ what: `transactions: ${what}`, bound: 'at least', target: THROUGHPUT_AT_LEAST, measured })
      }
    }
    for (const [, queries] of entered) await queries.stop()
  }
  await server.stop()
  const columns = ['a transaction of three statements', 'in a second', 'CPU µs', '÷ own', 'by CPU']
  return { name: 'transactions', text: table(columns, rows), targets, data }
}

async function race(
  entered: ReadonlyArray<readonly [Way, Queries]>,
  question: (typeof WORKLOADS)[number],
  rounds: number,
): Promise<Readonly<Record<Figure, Rounds>>> {
  const cold = 1
  const answers = new Map<string, QueriesAnswer[]>(entered.map(([way]) => [way, []]))
  const racers = entered.map(([name, queries]) => ({
    name,
    async race() {
      const answer = await queries.run(question)
      answers.get(name)?.push(answer)
      return answer.perSecond
    },
  }))
  const perSecond = await runRounds(racers, { rounds, cold })
  const micros = [...answers].map(([name, all]) => [name, all.slice(cold).map(({ cpuMicros }) => cpuMicros)] as const)
  return { perSecond, cpuMicros: new Rounds(new Map(micros)) }
}
