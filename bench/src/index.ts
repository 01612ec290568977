import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { acquireAndRelease } from './acquire-and-release.js'
import { prepareStatements } from './contestants/open-our-pool.js'
import { faultRecovery } from './fault-recovery.js'
import { cpuTime, wallTime } from './measure/stopwatch.js'
import { ormQueries } from './orm-queries.js'
import { overload } from './overload.js'
import type { Report, Settings } from './report/report.js'
import { isMet, targetTable } from './report/target.js'
import { scopeCarriers } from './scope-carriers.js'
import { selectOne } from './select-one.js'
import { sessionState } from './session-state.js'
import { threeStatements } from './three-statements.js'
import { wholeRequests } from './whole-requests.js'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    'cpu-time': { type: 'boolean', default: false },
    only: { type: 'string' },
    prepared: { type: 'boolean', default: false },
  },
})
if (values.prepared) prepareStatements()
const settings: Settings = { quick: values.quick, stopwatch: values['cpu-time'] ? cpuTime : wallTime }

const BENCHMARKS: Readonly<Record<string, (settings: Settings) => Promise<Report>>> = {
  stubs: acquireAndRelease,
  select: selectOne,
  requests: wholeRequests,
  orm: ormQueries,
  transactions: threeStatements,
  carriers: scopeCarriers,
  session: sessionState,
  overload,
  faults: faultRecovery,
}

const chosen = Object.entries(BENCHMARKS).filter(([name]) => values.only === undefined || values.only === name)
if (chosen.length === 0) throw new Error(`--only takes one of: ${Object.keys(BENCHMARKS).join(', ')}`)

const reports: Report[] = []
for (const [, benchmark] of chosen) {
  const report = await benchmark(settings)
  console.log(`${report.text}\n\n`)
  reports.push(report)
}
const targets = reports.flatMap((report) => report.targets)
if (targets.length > 0) console.log(`${targetTable(targets)}\n`)

const results = new URL('../results/', import.meta.url)
mkdirSync(results, { recursive: true })
const file = new URL(`${new Date().toISOString().replace(/[:.]/g, '-')}.json`, results)
const machine = { node: process.version, platform: process.platform, arch: process.arch }
const time = values['cpu-time'] ? 'cpu' : 'wall'
const verdicts = targets.map((target) => ({ ...target, met: isMet(target) }))
const result = { quick: values.quick, prepared: values.prepared, time, machine, targets: verdicts, reports }
writeFileSync(file, `${JSON.stringify(result, undefined, 2)}\n`)
