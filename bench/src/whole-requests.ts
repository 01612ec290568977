import { median, quantile } from './measure/median.js'
import { type Rounds, runRounds } from './measure/rounds.js'
import { createOrders } from './postgres/create-orders.js'
import { startPostgres } from './postgres/start-postgres.js'
import type { Report, Settings } from './report/report.js'
import { table } from './report/table.js'
import { load } from './requests/load.js'
import { type Service, type ServiceKind, startService } from './requests/start-service.js'

const NAMES: Readonly<Record<ServiceKind, string>> = {
  leasehold: 'Knex on our pool',
  knex: 'Knex on its own pool',
  'knex-in-context': 'Knex on its own pool, requests in an AsyncLocalStorage',
}
const KINDS = Object.keys(NAMES) as readonly ServiceKind[]
const THROUGHPUT_AT_LEAST = 0.98

interface Measured {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly cpuMicros: number
}

/** A whole request, `GET /orders/:id`, over real sockets: Fastify, Knex, the pool, PostgreSQL. */
export async function wholeRequests({ quick }: Settings): Promise<Report> {
  const server = await startPostgres()
  await createOrders(server.url)
  const services: Array<{ readonly name: ServiceKind; readonly service: Service }> = []
  for (const name of KINDS) services.push({ name, service: await startService(name, server.url) })
  const amount = quick ? 3_000 : 10_000
  const measured = new Map<string, Measured[]>()
  const racers = services.map(({ name, service }) => ({
    name,
    async race() {
      const before = await service.cpuMicros()
      const { requestsPerSecond, latencies } = await load(service.url, amount)
      const cpuMicros = ((await service.cpuMicros()) - before) / amount
      const entry = { p50Ms: quantile(latencies, 0.5), p99Ms: quantile(latencies, 0.99), cpuMicros }
      measured.set(name, [...(measured.get(name) ?? []), entry])
      return requestsPerSecond
    },
  }))
  const cold = 2
  const rounds = await runRounds(racers, { rounds: quick ? 7 : 15, cold })
  for (const { service } of services) await service.stop()
  await server.stop()
  for (const entries of measured.values()) entries.splice(0, cold)
  const text = requestsTable(rounds, measured)
  const targets = (['knex', 'knex-in-context'] as const).map((base) => ({
    what: `Throughput of whole requests, against ${NAMES[base]}`,
    bound: 'at least' as const,
    target: THROUGHPUT_AT_LEAST,
    measured: rounds.ratio('leasehold', base),
  }))
  const data = KINDS.map((name) => ({
    name,
    requestsPerSecond: rounds.of(name),
    ...Object.fromEntries(
      (['p50Ms', 'p99Ms', 'cpuMicros'] as const).map((key) => [key, measured.get(name)?.map((entry) => entry[key])]),
    ),
  }))
  return { name: 'whole requests', text, targets, data }
}

function requestsTable(rounds: Rounds, measured: ReadonlyMap<string, readonly Measured[]>): string {
  const middle = (name: string, key: keyof Measured): string =>
    median((measured.get(name) ?? []).map((entry) => entry[key])).toFixed(key === 'cpuMicros' ? 0 : 2)
  return table(
    ['GET /orders/:id', 'requests/s', 'leasehold ÷ it', 'p50 ms', 'p99 ms', 'CPU µs a request'],
    KINDS.map((name) => [
      NAMES[name],
      rounds.median(name).toFixed(0),
      rounds.ratio('leasehold', name).toFixed(3),
      middle(name, 'p50Ms'),
      middle(name, 'p99Ms'),
      middle(name, 'cpuMicros'),
    ]),
  )
}
