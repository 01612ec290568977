import { createPgPool, type LeasedPgPool, type LeasedPgPoolOptions } from '@leasehold/pg'
import { usePostgres } from '@leasehold/testkit/postgres'
import { Client } from 'pg'
import { afterEach, beforeAll } from 'vitest'
import type { PrismaAdapterOptions } from '../check-adapter-options.js'
import { createPrismaAdapter } from '../create-prisma-adapter.js'
import { leasePrisma } from '../lease-prisma.js'
import { loadClient, type TestClient, type TestClientClass } from './test-client.js'

/** Plain SQL: Prisma's own commands for tables need an engine that is downloaded. */
const TABLES = `
  create table accounts (id int primary key, owner text not null, balance int not null default 0);
  create table orders (
    id serial primary key,
    account_id int not null references accounts,
    note text not null unique
  );
  create view session as select 1 as id, current_setting('app.tenant', true) as tenant;
  insert into accounts select n, 'owner of ' || n, 100 from generate_series(1, 1000) n;
`

export interface OpenedPrisma {
  readonly pool: LeasedPgPool
  readonly prisma: TestClient
}

interface Wanted {
  readonly pool?: LeasedPgPoolOptions
  readonly adapter?: PrismaAdapterOptions
  readonly client?: object
  /** Whether it is given to `leasePrisma`. Default true. */
  readonly leased?: boolean
}

export interface PrismaTests {
  readonly url: string
  readonly PrismaClient: TestClientClass
  /** A client on a pool of its own. */
  open(wanted?: Wanted): OpenedPrisma
}

/**
 * Prisma on the real server, with tables and a thousand accounts. After each test the clients are disconnected, and
 * nothing may be held or waited for on their pools.
 */
export function usePrisma(): PrismaTests {
  const database = usePostgres()
  const opened: OpenedPrisma[] = []
  let PrismaClient: TestClientClass
  beforeAll(async () => {
    PrismaClient = await loadClient()
    const client = new Client(database.url)
    await client.connect()
    await client.query(TABLES)
    await client.end()
  })
  afterEach(async () => {
    for (const { pool, prisma } of opened.splice(0)) {
      await prisma.$disconnect()
      const { holders, waiting } = pool.snapshot()
      await pool.close({ deadlineMs: 0 })
      if (holders.length + waiting.count > 0) throw new Error(`left: ${JSON.stringify({ holders, waiting })}`)
    }
  })
  return {
    get url() {
      return database.url
    },
    get PrismaClient() {
      return PrismaClient
    },
    open({ pool: options, adapter, client, leased = true } = {}) {
      const pool = createPgPool({ connectionString: database.url, ...options })
      const prisma = new PrismaClient({ adapter: createPrismaAdapter(pool, adapter), ...client })
      opened.push({ pool, prisma })
      return { pool, prisma: leased ? leasePrisma(prisma, pool) : prisma }
    },
  }
}
