// One pool on stubs in a process of its own: `node --expose-gc stub-racer.js <contestant>`. Told by its parent what to measure.
import { runInScope } from '@leasehold/core'
import type { OpenPool } from '../contestants/contestant.js'
import { CONTESTANTS } from '../contestants/contestants.js'
import { median, quantile } from '../measure/median.js'
import { cpuTime, wallTime } from '../measure/stopwatch.js'
import { timed } from '../measure/timed.js'
import { sequential } from '../workloads/sequential.js'
import { waitingHeap } from '../workloads/waiting-heap.js'
import { workers } from '../workloads/workers.js'
import type { StubQuestion } from './start-stub-racer.js'
import { WORKLOADS } from './workloads.js'

/**
 * A turn is so many races, of which the first ones are not counted and the middle one of the rest is. While the others have
 * their turn, V8 makes this process's heap small: a service that serves its callers, as these do, has a heap that fits them.
 */
const RACES = 3
const COLD = 2

const contestant = CONTESTANTS.find(({ name }) => name === process.argv[2])
if (contestant === undefined) throw new Error(`there is no contestant "${process.argv[2]}"`)
const pool = contestant.open()

process.on('message', (question: StubQuestion) => {
  // Everybody runs in the context of a request, as in a web service: Node's promise hooks are on for all, and there is one
  // AsyncLocalStorage. Only ours looks into it.
  void runInScope({ label: 'GET /bench' }, () => answer(question)).then((measured) => process.send?.(measured))
})
process.once('disconnect', () => process.exit(0))

async function answer(question: StubQuestion): Promise<number> {
  await warmUp(pool)
  if (question.ask === 'heap') return waitingHeap(pool, question.waiters)
  const { run, leases } = WORKLOADS[question.workload]
  if (question.ask === 'time') {
    const stopwatch = question.by === 'cpu' ? cpuTime : wallTime
    const times: number[] = []
    for (let race = 0; race < COLD + RACES; race += 1) times.push(await stopwatch(() => run(pool, leases)))
    return median(times.slice(COLD)) / leases
  }
  const samples: number[] = []
  await run(timed(pool, samples), leases)
  return quantile(samples, 0.99)
}

/** All ten connections are open and lent at least once, whatever the pool did while the others ran. */
async function warmUp(open: OpenPool): Promise<void> {
  await workers(open, 1_280)
  await sequential(open, 200)
}
