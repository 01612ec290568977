import type { ClientReport } from './client-process.js'
import { faults } from './faults.js'
import { load } from './load.js'
import { Tally } from './tally.js'

// The process of the clients: see client-process.ts.

const [url = ''] = process.argv.slice(2)
const tally = new Tally()
const startedAt = performance.now()

function report(latencyMs?: ClientReport['latencyMs']): void {
  const seconds = (performance.now() - startedAt) / 1_000
  process.send?.({ ...tally.counts, seconds, latencyMs } satisfies ClientReport)
}

// The demo has the last report, or it is gone.
process.on('disconnect', () => process.exit())

const reporting = setInterval(report, 100)
await Promise.all([load(url, tally), faults(url, tally)])
clearInterval(reporting)
report(tally.latencyMs)
