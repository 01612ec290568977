import { createPgPool, type LeasedPgPool, type LeasedPgPoolOptions } from '@leasehold/pg'
import type { FaultProxy } from '@leasehold/testkit/fault-proxy'
import { askOf, type Stage, SteadyLoad, type Writer } from '@leasehold/testkit/faults'
import type { RestartablePostgres } from '@leasehold/testkit/postgres'
import { writersOn } from './writers.js'

const NAME = 'leasehold-faults'
const DEADLINE_MS = 600
const STATEMENT_MS = 300

/** What a caller may have waited at most: for a connection, then for a statement and the undoing of it; twice, to be fair. */
export const LONGEST_MS = 2 * (DEADLINE_MS + 3 * STATEMENT_MS)

/**
 * What a server may see until all is well again: each of six connections replaced once or twice, requests to cancel what
 * ran on them, and attempts one by one. Without a guard it is one for each refused caller: hundreds.
 */
export const MOST_DIALS = 80

/** A pool on a server behind a proxy, with the load of all three ORMs on it. */
export interface FaultStage extends Stage {
  readonly pool: LeasedPgPool
  readonly load: SteadyLoad
  readonly writers: readonly Writer[]
  /** Ends the load and the pool. */
  close(): Promise<void>
}

export interface FaultStageOptions extends LeasedPgPoolOptions {
  /** How long a caller waits for a connection. Default 600. */
  readonly deadlineMs?: number
}

export async function openFaultStage(
  server: RestartablePostgres,
  proxy: FaultProxy,
  { deadlineMs = DEADLINE_MS, ...options }: FaultStageOptions = {},
): Promise<FaultStage> {
  const pool = createPgPool({
    connectionString: proxy.through(server.url),
    application_name: NAME,
    max: 6,
    query_timeout: STATEMENT_MS,
    ...options,
    leasehold: {
      acquireTimeoutMs: deadlineMs,
      connectTimeoutMs: 1_000,
      closeTimeoutMs: 200,
      resetTimeoutMs: 300,
      checkTimeoutMs: 200,
      // As the defaults, only sooner: so that a test does not wait for the next probe.
      breaker: { probeAfterMs: 200, maxProbeAfterMs: 400 },
      ...options.leasehold,
    },
  })
  pool.on('error', () => {})
  const writers = await writersOn(pool, deadlineMs)
  const load = new SteadyLoad(writers)
  return {
    proxy,
    server,
    applicationName: NAME,
    ask: askOf(server),
    pool,
    load,
    writers,
    async close() {
      await proxy.heal()
      await load.stop()
      await pool.close({ deadlineMs: 200 })
    },
  }
}
