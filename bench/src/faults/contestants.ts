import { runInScope } from '@leasehold/core'
import { createDrizzle } from '@leasehold/drizzle'
import { createKnex } from '@leasehold/knex'
import { createPgPool } from '@leasehold/pg'
import { createPrismaAdapter, leasePrisma } from '@leasehold/prisma'
import { type Way, type Writer, writersOf } from '@leasehold/testkit/faults'
import { sql } from 'drizzle-orm'
import knex, { type Knex } from 'knex'
import { Pool } from 'pg'
import { loadPrismaClient } from '../orms/load-prisma-client.js'

/** Terms that are the same for all: how long to wait for a connection, for a server to let one in, for an answer. */
const MAX = 6
const ACQUIRE_MS = 600
const CONNECT_MS = 300
const STATEMENT_MS = 300
const CALLERS = 12

/** A pool with those who write on it. */
export interface Contestant {
  readonly writers: readonly Writer[]
  readonly callersEach: number
  /** What is still lent, waited for or on its way; all zero when nobody asks for anything. */
  leftovers(): Readonly<Record<string, number>>
  close(): Promise<unknown>
}

export type OpenContestant = (url: string, applicationName: string) => Promise<Contestant>

export const CONTESTANTS: Readonly<Record<string, OpenContestant>> = {
  '@leasehold/pg': openOurs,
  'pg.Pool': openPgPool,
  Knex: openKnexOwn,
}

async function openOurs(connectionString: string, application_name: string): Promise<Contestant> {
  const pool = createPgPool({
    connectionString,
    application_name,
    max: MAX,
    query_timeout: STATEMENT_MS,
    leasehold: { acquireTimeoutMs: ACQUIRE_MS, connectTimeoutMs: CONNECT_MS },
  })
  pool.on('error', () => {})
  const db = createDrizzle(pool)
  const PrismaClient = await loadPrismaClient()
  const prisma = leasePrisma(new PrismaClient({ adapter: createPrismaAdapter(pool) }), pool)
  const writers = [
    ...writersOf('Knex', wayOfKnex(createKnex(pool, { log: { warn() {}, error() {} } }))),
    ...writersOf('Drizzle', {
      run: (text) => db.execute(sql.raw(text)),
      transaction: (work) => db.transaction((transaction) => work((text) => transaction.execute(sql.raw(text)))),
    }),
    ...writersOf('Prisma', {
      run: (text) => prisma.$executeRawUnsafe(text),
      transaction: (work) => prisma.$transaction((transaction) => work((text) => transaction.$executeRawUnsafe(text))),
    }),
  ]
  return {
    writers: writers.map(({ name, write }) => ({
      name,
      write: (id) => runInScope({ label: name, deadlineMs: ACQUIRE_MS }, async () => await write(id)),
    })),
    callersEach: CALLERS / writers.length,
    leftovers: () => {
      const { connections, waiting } = pool.snapshot()
      const { lent, recycling, checking, opening, closing } = connections
      return { lent, recycling, checking, opening, closing, waiting: waiting.count }
    },
    close: () => pool.close({ deadlineMs: 200 }),
  }
}

async function openPgPool(connectionString: string, application_name: string): Promise<Contestant> {
  const pool = new Pool({
    connectionString,
    application_name,
    max: MAX,
    connectionTimeoutMillis: ACQUIRE_MS,
    query_timeout: STATEMENT_MS,
  })
  pool.on('error', () => {})
  // Of a client that is lent when its server goes, the process would die.
  pool.on('connect', (client) => client.on('error', () => {}))
  const way: Way = {
    run: (text) => pool.query(text),
    async transaction(work) {
      const client = await pool.connect()
      try {
        await client.query('begin')
        await work((text) => client.query(text))
        await client.query('commit')
        client.release()
      } catch (error) {
        client.release(true)
        throw error
      }
    },
  }
  const writers = writersOf('pg.Pool', way)
  return {
    writers,
    callersEach: CALLERS / writers.length,
    leftovers: () => ({ lent: pool.totalCount - pool.idleCount, waiting: pool.waitingCount }),
    close: () => pool.end(),
  }
}

async function openKnexOwn(connectionString: string, application_name: string): Promise<Contestant> {
  const db = knex({
    client: 'pg',
    connection: { connectionString, application_name, query_timeout: STATEMENT_MS },
    acquireConnectionTimeout: ACQUIRE_MS,
    pool: { min: 0, max: MAX, createTimeoutMillis: CONNECT_MS },
    log: { warn() {}, error() {} },
  })
  const writers = writersOf('Knex', wayOfKnex(db))
  const pool = (db.client as { pool: Record<'numUsed' | 'numPendingAcquires' | 'numPendingCreates', () => number> })
    .pool
  return {
    writers,
    callersEach: CALLERS / writers.length,
    leftovers: () => ({
      lent: pool.numUsed(),
      waiting: pool.numPendingAcquires(),
      opening: pool.numPendingCreates(),
    }),
    close: () => db.destroy(),
  }
}

function wayOfKnex(db: Knex): Way {
  return {
    run: (text) => db.raw(text),
    transaction: (work) => db.transaction((transaction) => work((text) => transaction.raw(text))),
  }
}
