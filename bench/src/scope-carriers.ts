import { type Flows, type ServiceContexts, startFlows, type Workload } from './carriers/start-flows.js'
import { runRounds } from './measure/rounds.js'
import { cpuTime } from './measure/stopwatch.js'
import type { Report, Settings } from './report/report.js'
import { table } from './report/table.js'

const BASE: ServiceContexts = 'scopes in AsyncLocalStorage'

const KINDS: readonly ServiceContexts[] = [
  'no context',
  BASE,
  'a namespace',
  'a namespace, and scopes in AsyncLocalStorage',
  'scopes in the namespace',
]

const WORKLOADS: ReadonlyArray<{ readonly workload: Workload; readonly title: string }> = [
  { workload: 'awaits', title: '20 awaits' },
  { workload: 'leases', title: '20 leases' },
  { workload: 'callbacks', title: '20 callbacks' },
]

const REQUESTS = 1_600

/** What a request costs in the contexts of either carrier, and what it costs without any. */
export async function scopeCarriers({ quick, stopwatch }: Settings): Promise<Report> {
  const services = KINDS.map((kind): { readonly kind: ServiceContexts; readonly flows: Flows } => ({
    kind,
    flows: startFlows(kind),
  }))
  const cells = new Map<ServiceContexts, string[]>(KINDS.map((kind) => [kind, []]))
  const data: Record<string, unknown> = {}
  const time = stopwatch === cpuTime ? 'cpu' : 'wall'
  for (const { workload, title } of WORKLOADS) {
    const racers = services.map(({ kind, flows }) => ({
      name: kind,
      race: async () => (await flows.run({ workload, requests: REQUESTS, time })).nanoseconds,
    }))
    const rounds = await runRounds(racers, { rounds: quick ? 7 : 25, cold: 3 })
    for (const kind of KINDS) {
      cells.get(kind)?.push((rounds.median(kind) / 1_000).toFixed(1), rounds.ratio(kind, BASE).toFixed(2))
    }
    data[title] = KINDS.map((kind) => ({ kind, nsPerRequest: rounds.of(kind) }))
  }
  await Promise.all(services.map(({ flows }) => flows.stop()))
  const columns = WORKLOADS.flatMap(({ title }) => [`${title}, µs`, '÷ ALS'])
  return {
    name: 'carriers',
    text: table(
      ['a request in', ...columns],
      KINDS.map((kind) => [kind, ...(cells.get(kind) ?? [])]),
    ),
    targets: [],
    data,
  }
}
