import type { Paint } from './paint.js'
import type { PairSummary } from './summary.js'
import { count, duration } from './words.js'

const columns: ReadonlyArray<readonly [heading: string, width: number, cell: (pair: PairSummary) => string]> = [
  ['Requests', 10, ({ requests: { total } }) => count(total)],
  ['Errors', 8, ({ errors: { total } }) => count(total)],
  ['p50', 9, ({ latencyMs: { p50 } }) => duration(p50)],
  ['p99', 9, ({ latencyMs: { p99 } }) => duration(p99)],
  ['Leases', 8, ({ leases: { granted } }) => count(granted)],
  ['Held', 10, ({ timeMs: { held } }) => duration(held)],
  ['Busy', 10, ({ timeMs: { busy } }) => duration(busy)],
  ['Leaks', 7, ({ leaks }) => count(Object.values(leaks).reduce((total, of) => total + of, 0))],
  ['Still held', 12, ({ stillHeld }) => count(stillHeld)],
]

/** A row for each pair. */
export function pairTable(pairs: readonly PairSummary[], paint: Paint): string {
  const headings = columns.map(([heading, width]) => heading.padStart(width)).join('')
  const rows = pairs.map((pair) => {
    const cells = columns.map(([, width, cell]) => cell(pair).padStart(width)).join('')
    const row = `  ${`${pair.framework} + ${pair.orm}`.padEnd(18)}${cells}`
    return pair.stillHeld === 0 ? row : paint('red', row)
  })
  return [`  ${paint('bold', `${'On one pool'.padEnd(18)}${headings}`)}`, ...rows].join('\n')
}
