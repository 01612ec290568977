import { runInScope } from '@leasehold/core'
import { createPgPool } from '@leasehold/pg'
import knex from 'knex'
import { Pool } from 'pg'
import { EQUAL_TERMS } from '../contestants/contestant.js'

/** Ten milliseconds of the database's time. */
const QUERY = 'select pg_sleep(0.01)'

/** A service under load: its pool, and what each of its requests does. */
export interface OverloadedService {
  readonly name: string
  ask(): Promise<unknown>
  close(): Promise<unknown>
}

/** All with ten connections, and with the patience of their callers. */
export const SERVICES: ReadonlyArray<(url: string, deadlineMs: number) => OverloadedService> = [
  (url, deadlineMs) => ours('@leasehold/pg', url, deadlineMs, {}),
  (url, deadlineMs) => ours('@leasehold/pg, queueDelay: false', url, deadlineMs, { queueDelay: false }),
  (url, deadlineMs) => {
    const pool = new Pool({ connectionString: url, max: EQUAL_TERMS.max, connectionTimeoutMillis: deadlineMs })
    return { name: 'pg.Pool', ask: () => pool.query(QUERY), close: () => pool.end() }
  },
  (url, deadlineMs) => {
    const db = knex({
      client: 'pg',
      connection: { connectionString: url },
      acquireConnectionTimeout: deadlineMs,
      pool: { min: 0, max: EQUAL_TERMS.max },
      // It prints every refusal, and would measure the terminal.
      log: { error: () => {}, warn: () => {} },
    })
    return { name: "Knex's own pool", ask: () => db.raw(QUERY), close: () => db.destroy() }
  },
]

function ours(name: string, url: string, deadlineMs: number, leasehold: { queueDelay?: false }): OverloadedService {
  const pool = createPgPool({ connectionString: url, max: EQUAL_TERMS.max, leasehold })
  return {
    name,
    ask: () => runInScope({ label: 'GET /bench', deadlineMs }, () => pool.query(QUERY)),
    close: () => pool.end(),
  }
}
