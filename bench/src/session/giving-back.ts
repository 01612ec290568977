import { createPgPool } from '@leasehold/pg'
import { Pool, type ClientBase } from 'pg'
import { runRounds } from '../measure/rounds.js'
import type { Report, Settings } from '../report/report.js'
import { table } from '../report/table.js'
import { startFront } from './start-front.js'

const BASE = 'pg.Pool, which cleans nothing'

interface Contestant {
  readonly name: string
  /** What the lease's owner sends. */
  readonly statements: readonly string[]
  readonly pool: PoolOfEither
  /** What is sent before the connection is given back. */
  readonly cleaning: string | undefined
}

interface PoolOfEither {
  connect(): Promise<ClientBase & { release(): void }>
  end(): Promise<void>
}

const CLEAN = ['select 1']
const DIRTY = [`set work_mem = '5MB'`, 'select 1']
const LEASES = 300

/** What it takes until a connection that was given back is fit for its next owner. */
export async function givingBack(serverUrl: string, { quick, stopwatch }: Settings): Promise<Report> {
  const front = await startFront(serverUrl, 0)
  // One connection, so that whoever comes next waits for it to be cleaned.
  const enter = (url: string): readonly Contestant[] => {
    const terms = { connectionString: url, max: 1 }
    const theirs = new Pool(terms)
    const ours = createPgPool(terms)
    return [
      { name: '@leasehold/pg, clean', statements: CLEAN, pool: ours, cleaning: undefined },
      { name: '@leasehold/pg, a setting left', statements: DIRTY, pool: ours, cleaning: undefined },
      { name: BASE, statements: CLEAN, pool: theirs, cleaning: undefined },
      { name: `${BASE}, a setting left`, statements: DIRTY, pool: theirs, cleaning: undefined },
      { name: 'pg.Pool, DISCARD ALL', statements: CLEAN, pool: theirs, cleaning: 'DISCARD ALL' },
      { name: 'pg.Pool, DISCARD ALL, a setting left', statements: DIRTY, pool: theirs, cleaning: 'DISCARD ALL' },
    ]
  }

  const counted = new Map<string, number>()
  const seen = enter(front.url)
  for (const contestant of seen) {
    await lend(contestant, 1)
    const before = await front.roundTrips()
    await lend(contestant, LEASES)
    // The last one is cleaned after it was given back; whoever comes next has waited for that.
    await lend({ ...contestant, statements: [], cleaning: undefined }, 1)
    const own = contestant.statements.length * LEASES
    counted.set(contestant.name, ((await front.roundTrips()) - before - own) / LEASES)
  }
  await endAll(seen)
  await front.stop()

  const entered = enter(serverUrl)
  const racers = entered.map((contestant) => ({
    name: contestant.name,
    race: async () => (await stopwatch(() => lend(contestant, LEASES))) / LEASES,
  }))
  const rounds = await runRounds(racers, { rounds: quick ? 7 : 25, cold: 2 })
  await endAll(entered)

  const rows = entered.map(({ name, statements }) => {
    const base = statements === CLEAN ? BASE : `${BASE}, a setting left`
    const micros = (rounds.median(name) / 1_000).toFixed(1)
    return [name, (counted.get(name) ?? Number.NaN).toFixed(2), micros, rounds.ratio(name, base).toFixed(3)]
  })
  return {
    name: 'giving back',
    text: table(['A lease on PostgreSQL', 'round trips to clean', 'µs', '÷ cleaning nothing'], rows),
    targets: [
      {
        what: 'round trips to clean a clean session',
        bound: 'at most',
        target: 0,
        measured: counted.get('@leasehold/pg, clean') ?? Number.NaN,
      },
      {
        what: 'round trips to clean a session with a setting left',
        bound: 'at most',
        target: 1,
        measured: counted.get('@leasehold/pg, a setting left') ?? Number.NaN,
      },
    ],
    data: entered.map(({ name }) => ({ name, roundTrips: counted.get(name), nsPerLease: rounds.of(name) })),
  }
}

/** One lease after the other. */
async function lend({ pool, statements, cleaning }: Contestant, leases: number): Promise<void> {
  for (let lease = 0; lease < leases; lease += 1) {
    const client = await pool.connect()
    for (const statement of statements) await client.query(statement)
    if (cleaning !== undefined) await client.query(cleaning)
    client.release()
  }
}

async function endAll(contestants: readonly Contestant[]): Promise<void> {
  for (const pool of new Set(contestants.map((contestant) => contestant.pool))) await pool.end()
}
