import { createPgPool, type LeasedPgPool, type LeasedPgPoolOptions } from '@leasehold/pg'
import { type FaultProxy, startFaultProxy } from '@leasehold/testkit/fault-proxy'
import { judgeWrittenRows, type Stage, SteadyLoad, WRITTEN_ROWS } from '@leasehold/testkit/faults'
import { type RestartablePostgres, startRestartablePostgres } from '@leasehold/testkit/postgres'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { DEADLINE_MS, writersOn } from './writers.js'

const NAME = 'leasehold-faults'
const STATEMENT_MS = 300

/** A server of one's own with a proxy before it, and a pool with a load on it, for each test. */
export interface FaultStage extends Stage {
  readonly pool: LeasedPgPool
  readonly load: SteadyLoad
}

/** What a caller may have waited at most: for a connection, and then for a statement and the undoing of it. */
export const LONGEST_MS = DEADLINE_MS + 3 * STATEMENT_MS

export function useFaultStage(settings?: Readonly<Record<string, string>>): {
  open(options?: LeasedPgPoolOptions): Promise<FaultStage>
} {
  let server: RestartablePostgres
  let proxy: FaultProxy
  const opened: FaultStage[] = []

  beforeAll(async () => {
    server = await startRestartablePostgres(settings)
    proxy = await startFaultProxy(server)
    await askOf(server)(WRITTEN_ROWS)
  })

  afterEach(async () => {
    for (const { load, pool } of opened.splice(0)) {
      await proxy.heal()
      await load.stop()
      await pool.close({ deadlineMs: 200 })
    }
  })

  afterAll(async () => {
    await proxy.close()
    await server.stop()
  })

  return {
    async open(options = {}) {
      const ask = askOf(server)
      await ask('truncate written_rows')
      const pool = createPgPool({
        connectionString: proxy.through(server.url),
        application_name: NAME,
        max: 6,
        query_timeout: STATEMENT_MS,
        ...options,
        leasehold: {
          acquireTimeoutMs: DEADLINE_MS,
          connectTimeoutMs: 300,
          closeTimeoutMs: 200,
          resetTimeoutMs: 300,
          checkTimeoutMs: 200,
          ...options.leasehold,
        },
      })
      pool.on('error', () => {})
      const load = new SteadyLoad(await writersOn(pool))
      const stage = { proxy, server, applicationName: NAME, ask, pool, load }
      opened.push(stage)
      return stage
    },
  }
}

/** Ends the load: nothing committed is lost, nothing has run twice, and nobody holds or waits for anything. */
export async function expectNothingLost({ load, pool, ask }: FaultStage): Promise<void> {
  await load.stop()
  const verdict = await judgeWrittenRows(
    { query: async (text) => ({ rows: await ask(text) }) },
    load.journal,
  )
  expect(verdict).toEqual({ lost: [], twice: [], unasked: [] })
  await expect
    .poll(() => pool.snapshot(), { timeout: 5_000 })
    .toMatchObject({
      connections: { lent: 0, recycling: 0, checking: 0, opening: 0, closing: 0 },
      waiting: { count: 0 },
      holders: [],
    })
  const { counts } = pool.snapshot()
  expect(counts.released).toBe(counts.granted)
}

/** Past the proxy, with a connection for each statement: the server may have been elsewhere in between. */
function askOf(server: RestartablePostgres): Stage['ask'] {
  return async (text, values) => {
    const client = new pg.Client({ connectionString: server.url, options: '-c default_transaction_read_only=off' })
    client.on('error', () => {})
    await client.connect()
    try {
      return (await client.query(text, values && [...values])).rows as never
    } finally {
      await client.end()
    }
  }
}
