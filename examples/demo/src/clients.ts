import type { ClientReport, Load } from './client-process.js'
import { faults } from './faults.js'
import { load } from './load.js'
import { Tally } from './tally.js'

// The process of the clients: see client-process.ts.

const [asked = ''] = process.argv.slice(2)
const { seconds, urls } = JSON.parse(asked) as Load
const total = new Tally()
const targets = Object.entries(urls).map(([name, url]) => ({ name, url, tally: new Tally(total) }))
const startedAt = performance.now()

function report(message: ClientReport): void {
  process.send?.(message)
}

function secondsSoFar(): number {
  return (performance.now() - startedAt) / 1_000
}

// The demo has the last report, or it is gone.
process.on('disconnect', () => process.exit())

const reporting = setInterval(() => report({ is: 'under way', seconds: secondsSoFar(), total: total.counts }), 100)
await Promise.all([...targets.map((target) => load(target, seconds)), faults(targets, seconds)])
clearInterval(reporting)
const pairs = Object.fromEntries(targets.map(({ name, tally }) => [name, tally.outcome]))
report({ is: 'over', seconds: secondsSoFar(), total: total.outcome, pairs })
