// The requests of one kind of service, in a process of its own: `node flows.js <kind>`. What follows cls-hooked's contexts
// is told of every promise of the process, and cannot be taken away again. Told by its parent how many to run of which.
import { bindToContext, createPool, runInScope, useScopeCarrier } from '@leasehold/core'
import { clsHookedCarrier } from '@leasehold/cls-hooked'
import { createNamespace } from 'cls-hooked'
import { EQUAL_TERMS } from '../contestants/contestant.js'
import { stubDriver } from '../contestants/stub-driver.js'
import { cpuTime, wallTime } from '../measure/stopwatch.js'
import type { FlowsAnswer, FlowsQuestion, ServiceContexts, Workload } from './start-flows.js'

const STEPS = 20
const AT_A_TIME = 32

const kind = process.argv[2] as ServiceContexts
const namespace = kind.includes('namespace') ? createNamespace('bench') : undefined
if (kind === 'scopes in the namespace' && namespace !== undefined) useScopeCarrier(clsHookedCarrier(namespace))
const pool = createPool(stubDriver(), EQUAL_TERMS)

const WORKLOADS: Readonly<Record<Workload, () => Promise<void>>> = {
  async awaits() {
    for (let step = 0; step < STEPS; step += 1) await nothing()
  },
  async leases() {
    for (let step = 0; step < STEPS; step += 1) {
      const lease = await pool.acquire()
      await lease.client.query()
      lease.release()
    }
  },
  async callbacks() {
    let called = 0
    for (let step = 0; step < STEPS; step += 1) {
      bindToContext(() => {
        called += 1
      })()
    }
    if (called !== STEPS) throw new Error('a callback was not called')
  },
}

async function nothing(): Promise<void> {}

/** A request, in the contexts that such a service gives it. */
function request(work: () => Promise<void>): Promise<void> {
  if (kind === 'no context') return work()
  if (kind === 'a namespace') return inNamespace(work)
  const inScope = (): Promise<void> => runInScope({ label: 'GET /bench' }, work)
  return kind === 'scopes in AsyncLocalStorage' ? inScope() : inNamespace(inScope)
}

function inNamespace(work: () => Promise<void>): Promise<void> {
  return (
    namespace?.runAndReturn(() => {
      namespace.set('user', 'ada')
      return work()
    }) ?? work()
  )
}

async function run({ workload, requests, time }: FlowsQuestion): Promise<FlowsAnswer> {
  const work = WORKLOADS[workload]
  const each = Math.ceil(requests / AT_A_TIME)
  const nanoseconds = await (time === 'cpu' ? cpuTime : wallTime)(async () => {
    await Promise.all(
      Array.from({ length: AT_A_TIME }, async () => {
        for (let done = 0; done < each; done += 1) {
          await request(work)
          // As between real requests: the event loop comes round, and what is garbage is told to whoever follows it.
          await new Promise(setImmediate)
        }
      }),
    )
  })
  return { nanoseconds: nanoseconds / (each * AT_A_TIME) }
}

process.on('message', (question: FlowsQuestion) => void run(question).then((answer) => process.send?.(answer)))
process.once('disconnect', () => process.exit(0))
