import { runInScope } from '@leasehold/core'
import { Client, Pool } from 'pg'
import { EQUAL_TERMS } from '../contestants/contestant.js'
import { runRounds } from '../measure/rounds.js'
import type { Report, Settings } from '../report/report.js'
import { table } from '../report/table.js'
import type { Target } from '../report/target.js'
import { startFront } from './start-front.js'
import { openOurPool } from '../contestants/open-our-pool.js'

const OURS = '@leasehold/pg, settings declared'
const THEIRS = 'pg.Pool, BEGIN; SET LOCAL; …; COMMIT'
const TENANTS = 20
const CALLERS = 64
const PASSWORD = 'of the benchmark'
const QUESTION = 'select tenant from notes where id = $1'

const SCHEMA = `
  drop table if exists notes;
  drop role if exists bench_tenants;
  create table notes (id integer primary key, tenant integer not null);
  insert into notes select tenant, tenant from generate_series(1, ${TENANTS}) as tenant;
  alter table notes enable row level security;
  create policy own on notes using (tenant = nullif(current_setting('app.tenant_id', true), '')::integer);
  create role bench_tenants login password '${PASSWORD}';
  grant select on notes to bench_tenants`

const NETWORKS = [
  { delayMs: 0, name: 'no network', target: 2 },
  { delayMs: 1, name: '1 ms of network', target: 3 },
] as const

interface Contestant {
  readonly name: string
  /** Reads the tenant's own note. */
  read(tenant: number): Promise<{ readonly rows: ReadonlyArray<{ readonly tenant: number }> }>
  end(): Promise<void>
}

/** Requests of many tenants, each to see only rows of its own by row-level security. */
export async function tenants(serverUrl: string, { quick, stopwatch }: Settings): Promise<Report> {
  await prepare(serverUrl)
  const url = new URL(serverUrl)
  url.username = 'bench_tenants'
  url.password = PASSWORD
  const rows: string[][] = []
  const targets: Target[] = []
  const data: Record<string, unknown> = {}
  for (const { delayMs, name: network, target } of NETWORKS) {
    const front = delayMs === 0 ? undefined : await startFront(url.href, delayMs)
    const requests = (quick ? 20 : 40) * CALLERS
    const entered = [ours(front?.url ?? url.href), theirs(front?.url ?? url.href)]
    const racers = entered.map((contestant) => ({
      name: contestant.name,
      race: async () => (await stopwatch(() => serve(contestant, requests))) / requests,
    }))
    const rounds = await runRounds(racers, { rounds: quick ? 7 : 15, cold: 6 })
    for (const { name } of entered) {
      const throughput = (1e9 / rounds.median(name)).toFixed(0)
      rows.push([`${network}: ${name}`, throughput, rounds.ratio(THEIRS, name).toFixed(2)])
    }
    targets.push({
      what: `tenants' requests, ${network}: throughput ÷ BEGIN; SET LOCAL; …; COMMIT`,
      bound: 'at least',
      target,
      measured: rounds.ratio(THEIRS, OURS),
    })
    data[network] = entered.map(({ name }) => ({ name, nsPerRequest: rounds.of(name) }))
    for (const contestant of entered) await contestant.end()
    await front?.stop()
  }
  return {
    name: 'tenants',
    text: table([`Requests of ${TENANTS} tenants, ${CALLERS} at once`, 'a second', '× throughput'], rows),
    targets,
    data,
  }
}

function ours(url: string): Contestant {
  const pool = openOurPool(termsOf(url))
  return {
    name: OURS,
    read: (tenant) =>
      runInScope({ label: 'GET /note', settings: { 'app.tenant_id': tenant } }, () =>
        pool.query<{ tenant: number }>(QUESTION, [tenant]),
      ),
    end: () => pool.end(),
  }
}

function theirs(url: string): Contestant {
  const pool = new Pool(termsOf(url))
  return {
    name: THEIRS,
    async read(tenant) {
      const client = await pool.connect()
      try {
        await client.query('BEGIN')
        await client.query(`SET LOCAL app.tenant_id = '${tenant}'`)
        const answer = await client.query<{ tenant: number }>(QUESTION, [tenant])
        await client.query('COMMIT')
        return answer
      } finally {
        client.release()
      }
    },
    end: () => pool.end(),
  }
}

function termsOf(connectionString: string): { readonly connectionString: string; readonly max: number } {
  return { connectionString, max: EQUAL_TERMS.max }
}

async function serve(contestant: Contestant, requests: number): Promise<void> {
  const each = Math.ceil(requests / CALLERS)
  await Promise.all(
    Array.from({ length: CALLERS }, async (_, caller) => {
      for (let request = 0; request < each; request += 1) {
        const tenant = ((caller + request) % TENANTS) + 1
        const { rows } = await contestant.read(tenant)
        if (rows[0]?.tenant !== tenant) throw new Error(`${contestant.name}: tenant ${tenant} did not get its own row`)
      }
    }),
  )
}

async function prepare(url: string): Promise<void> {
  const client = new Client(url)
  await client.connect()
  await client.query(SCHEMA)
  await client.end()
}
