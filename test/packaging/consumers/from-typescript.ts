// Compiled, never run: what a service in strict TypeScript writes, without `skipLibCheck`.

import type { Driver, Lease, Pool, PoolOptions, PoolSnapshot } from '@leasehold/core'
import {
  LeaseholdError,
  createPool,
  currentScope,
  detached,
  isLeaseholdError,
  openScope,
  runInScope,
  useScopeCarrier,
} from '@leasehold/core'
import leasehold, { leasehold as named } from '@leasehold/fastify'
import { createKnex } from '@leasehold/knex'
import { LeasedPgPool, createPgPool, pgDriver } from '@leasehold/pg'
import { fastify } from 'fastify'
import type { Knex } from 'knex'
import type { Client, Pool as NodePostgresPool } from 'pg'

const options: PoolOptions = { max: 5, acquireTimeoutMs: 1_000 }
const driver: Driver<Client> = pgDriver({ host: 'localhost' })
const pool: Pool<Client> = createPool(driver, options)

export async function lease(): Promise<number> {
  const snapshot: PoolSnapshot = pool.snapshot()
  const held: Lease<Client> = await pool.acquire({ timeoutMs: 100, priority: 'high' })
  held.release()
  const { rows } = await pool.use((client) => client.query<{ one: number }>('select 1 as one'))
  return rows.length + Object.keys(snapshot).length
}

export const facade: NodePostgresPool = createPgPool({ max: 5, leasehold: { leakAfterMs: 1_000 } })
export const sameFacade: LeasedPgPool = new LeasedPgPool({ max: 5 })
export const database: Knex = createKnex(sameFacade, { searchPath: ['public'] })

export async function service(): Promise<void> {
  const app = fastify()
  await app.register(leasehold, { pool: sameFacade })
  await app.register(named, { pool: sameFacade })
  app.get('/', (request) => request.leasehold.signal.aborted)
}

export async function scopes(): Promise<string | undefined> {
  const scope = openScope({ label: 'job' })
  await scope.close()
  await detached(async () => currentScope()?.label)
  try {
    return await runInScope({ label: 'job', deadlineMs: 1_000 }, async () => currentScope()?.label)
  } catch (error) {
    if (isLeaseholdError(error)) return error.code
    if (error instanceof LeaseholdError) return error.phase
    throw error
  }
}

export const carrier: typeof useScopeCarrier = useScopeCarrier
