import { runInScope } from '@leasehold/core'
import { Pool } from 'pg'
import { EQUAL_TERMS } from './contestants/contestant.js'
import { runRounds } from './measure/rounds.js'
import { startPostgres } from './postgres/start-postgres.js'
import type { Report, Settings } from './report/report.js'
import { table } from './report/table.js'
import { openOurPool } from './contestants/open-our-pool.js'

const OURS = '@leasehold/pg'
const THEIRS = 'pg.Pool'

const WORKLOADS = [
  { title: 'One caller after the other', callers: 1, queries: 1_000 },
  { title: '64 callers on 10 connections', callers: 64, queries: 6_400 },
] as const

interface PoolOfEither {
  query(statement: string): Promise<unknown>
  end(): Promise<void>
}

/** `pool.query('select 1')` on a real server: whether the nanoseconds of the other tables are to be seen at all. */
export async function selectOne({ quick, stopwatch }: Settings): Promise<Report> {
  const server = await startPostgres()
  const terms = {
    connectionString: server.url,
    max: EQUAL_TERMS.max,
    connectionTimeoutMillis: EQUAL_TERMS.acquireTimeoutMs,
    idleTimeoutMillis: EQUAL_TERMS.idleTimeoutMs,
  }
  const entered: ReadonlyArray<{ readonly name: string; readonly pool: PoolOfEither }> = [
    { name: OURS, pool: openOurPool(terms) },
    { name: THEIRS, pool: new Pool(terms) },
  ]
  const rows: string[][] = []
  const data: Record<string, unknown> = {}
  for (const { title, callers, queries } of WORKLOADS) {
    const racers = entered.map(({ name, pool }) => ({
      name,
      race: async () => (await stopwatch(() => ask(pool, callers, queries))) / queries,
    }))
    const rounds = await runRounds(racers, { rounds: quick ? 7 : 25, cold: 2 })
    for (const { name } of entered) {
      const micros = (rounds.median(name) / 1_000).toFixed(1)
      rows.push([`${title}: ${name}`, micros, rounds.ratio(name, THEIRS).toFixed(3)])
    }
    data[title] = entered.map(({ name }) => ({ name, nsPerQuery: rounds.of(name) }))
  }
  for (const { pool } of entered) await pool.end()
  await server.stop()
  return {
    name: 'select 1',
    text: table(['select 1 on PostgreSQL', 'µs a query', '÷ pg.Pool'], rows),
    targets: [],
    data,
  }
}

/** Every caller in the scope of a request of its own. */
async function ask(pool: PoolOfEither, callers: number, queries: number): Promise<void> {
  const each = Math.ceil(queries / callers)
  await Promise.all(
    Array.from({ length: callers }, () =>
      runInScope({ label: 'GET /bench' }, async () => {
        for (let query = 0; query < each; query += 1) await pool.query('select 1')
      }),
    ),
  )
}
