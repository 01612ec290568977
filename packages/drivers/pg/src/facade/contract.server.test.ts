import { describeFacadeContract } from '@leasehold/testkit/contracts'
import { usePostgres } from '@leasehold/testkit/postgres'
import { Client, type PoolClient } from 'pg'
import { backendOf, kill } from '../testing/backend.js'
import { createPgPool } from './create-pg-pool.js'

const database = usePostgres()

describeFacadeContract<PoolClient>('LeasedPgPool', async (leasehold) => {
  const pool = createPgPool({ connectionString: database.url, leasehold })
  const admin = new Client(database.url)
  await admin.connect()
  return {
    leases: pool.leases,
    acquire: () => pool.connect(),
    release: (client) => client.release(),
    discard: (client) => client.release(true),
    query: (on) => (on === 'pool' ? pool : on).query('select 1'),
    failingQuery: (on) => (on === 'pool' ? pool : on).query('select 1 / 0'),
    endlessQuery: (on) => on.query('select pg_sleep(60)'),
    begin: (client) => client.query('begin'),
    isInTransaction: async (client) => {
      await client.query('select 1')
      return client.getTransactionStatus() !== 'I'
    },
    sessionOf: async (client) => backendOf(client),
    kill: (backend) => kill(admin, backend as number),
    close: () => pool.close({ deadlineMs: 0 }),
    stop: () => admin.end(),
  }
})
