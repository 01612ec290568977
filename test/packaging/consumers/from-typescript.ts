// Compiled, never run: what a service in strict TypeScript writes, without `skipLibCheck`.

import { clsHookedCarrier, type ClsHookedNamespace } from '@leasehold/cls-hooked'
import type { Driver, Lease, Pool, PoolOptions, PoolSnapshot, ScopeCarrier } from '@leasehold/core'
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
import { createPrismaAdapter, leasePrisma, type PrismaAdapterOptions } from '@leasehold/prisma'
import type { PrismaPg } from '@prisma/adapter-pg'
import { createNamespace } from 'cls-hooked'
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

const adapterOptions: PrismaAdapterOptions = { schema: 'public' }
export const adapter: PrismaPg = createPrismaAdapter(sameFacade, adapterOptions)
interface GeneratedClient {
  readonly account: { count(): Promise<number> }
  $connect(): Promise<void>
  $disconnect(): Promise<void>
}
export const ofRequests = (client: GeneratedClient): GeneratedClient => leasePrisma(client, sameFacade)

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

const namespace: ClsHookedNamespace = createNamespace('service')
const carrier: ScopeCarrier = clsHookedCarrier(namespace)
export const carry = (): void => useScopeCarrier(carrier)
