// What acquire and release cost here, against another checkout of this repository that has been built, in turns in one process:
// `npm run bench:against -- ../leasehold-before`.
import { runInScope } from '@leasehold/core'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Contestant, OpenPool } from './contestants/contestant.js'
import { leasehold } from './contestants/leasehold.js'
import { runRounds } from './measure/rounds.js'
import { cpuTime } from './measure/stopwatch.js'
import { table } from './report/table.js'
import { sequential } from './workloads/sequential.js'
import { workers } from './workloads/workers.js'
import { WORKLOADS, type WorkloadName } from './stubs/workloads.js'

const HERE = 'here'
const THERE = 'there'
const ROUNDS = 31

type InScope = typeof runInScope

const tree = resolve(process.env['INIT_CWD'] ?? '', process.argv[2] ?? '')
const core = resolve(tree, 'packages/core/dist/esm/index.js')
const contestant = resolve(tree, 'bench/dist/contestants/leasehold.js')
if (process.argv[2] === undefined || !existsSync(core) || !existsSync(contestant)) {
  console.error('npm run bench:against -- <another checkout, in which `npm run bench -- --help` has built everything>')
  process.exit(2)
}
const other = (await import(pathToFileURL(core).href)) as { readonly runInScope: InScope }
const { leasehold: otherPool } = (await import(pathToFileURL(contestant).href)) as {
  readonly leasehold: typeof leasehold
}

const entered = [
  entrant(HERE, leasehold(HERE, 'adaptive'), runInScope),
  entrant(THERE, otherPool(THERE, 'adaptive'), other.runInScope),
]
const rows: string[][] = []
for (const name of Object.keys(WORKLOADS) as WorkloadName[]) {
  const { run, leases } = WORKLOADS[name]
  const racers = entered.map((each) => ({ name: each.name, race: () => each.time(run, leases) }))
  const rounds = await runRounds(racers, { rounds: ROUNDS, cold: 5 })
  const nanoseconds = [HERE, THERE].map((each) => rounds.median(each).toFixed(0))
  rows.push([name, ...nanoseconds, rounds.ratio(HERE, THERE).toFixed(3)])
}
console.log(table(['CPU ns a lease', HERE, THERE, 'here ÷ there'], rows))
for (const { pool } of entered) await pool.close()

function entrant(name: string, { open }: Contestant, inScope: InScope) {
  const pool = open()
  return {
    name,
    pool,
    time: (run: (on: OpenPool, leases: number) => Promise<void>, leases: number): Promise<number> =>
      inScope({ label: 'GET /bench' }, async () => {
        await workers(pool, 1_280)
        await sequential(pool, 200)
        return (await cpuTime(() => run(pool, leases))) / leases
      }),
  }
}
