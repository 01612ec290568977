import { mkdirSync, writeFileSync } from 'node:fs'
import { acquireAndRelease } from './acquire-and-release.js'
import { readCommandLine } from './command-line.js'
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

const { names, quick, cpuTime: byCpu, prepared } = readCommandLine(Object.keys(BENCHMARKS))
if (prepared) prepareStatements()
const settings: Settings = { quick, stopwatch: byCpu ? cpuTime : wallTime }

const reports: Report[] = []
for (const [name, benchmark] of Object.entries(BENCHMARKS)) {
  if (!names.includes(name)) continue
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
const time = byCpu ? 'cpu' : 'wall'
const verdicts = targets.map((target) => ({ ...target, met: isMet(target) }))
const result = { quick, prepared, time, machine, targets: verdicts, reports }
writeFileSync(file, `${JSON.stringify(result, undefined, 2)}\n`)
