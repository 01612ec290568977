// A process of its own: kills the backend under an open transaction, and says so if it lives to tell.
// Arguments: `plain` or `ours`, the version of Drizzle, the database.

import { createPgPool } from '@leasehold/pg'
import { setTimeout as delay } from 'node:timers/promises'
import { Client, Pool } from 'pg'
import { drizzleOnLeases } from '../drizzle-on-leases.js'
import type { TestDatabase } from './open-drizzle.js'
import { SUPPORTED_DRIZZLES } from './supported-drizzles.js'

const [, , kind, version, connectionString = ''] = process.argv
const supported = SUPPORTED_DRIZZLES.find(({ name }) => name === version)
if (supported === undefined) throw new Error(`no Drizzle ${version}`)
const { library, sql } = supported

const pool = kind === 'ours' ? createPgPool({ connectionString, max: 1 }) : new Pool({ connectionString, max: 1 })
const db = (
  kind === 'ours' ? drizzleOnLeases(library, pool as never, {}) : library.drizzle({ client: pool } as never)
) as TestDatabase

const admin = new Client({ connectionString })
await admin.connect()
await db
  .transaction(async (tx) => {
    const { rows } = await tx.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`)
    await admin.query('select pg_terminate_backend($1)', [rows[0]?.pid])
    // Nothing is on the wire when it dies, as in a handler that waits for something else.
    await delay(200)
  })
  .catch(() => {})
const { rows } = await db.execute<{ one: number }>(sql`select 1 as one`)
console.log(`still alive, ${rows[0]?.one}`)
await admin.end()
await pool.end()
