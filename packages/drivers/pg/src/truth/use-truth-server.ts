import { createDatabase, startPostgres, type PostgresServer } from '@leasehold/testkit/postgres'
import { afterAll, beforeAll } from 'vitest'
import { prepareDatabase } from './prepare-database.js'

/** A server that allows what most do not: transactions prepared for two-phase commit, and replication slots. */
export function useTruthServer(): { readonly url: string } {
  let server: PostgresServer | undefined
  let url = ''
  beforeAll(async () => {
    server = await startPostgres({
      embedded: true,
      settings: {
        max_prepared_transactions: '4',
        timezone: 'Europe/Paris',
        wal_level: 'logical',
        max_wal_senders: '2',
        max_replication_slots: '4',
      },
    })
    url = (await createDatabase(server)).url
    await prepareDatabase(url)
  })
  afterAll(() => server?.stop())
  return {
    get url() {
      return url
    },
  }
}
