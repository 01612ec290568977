import { createServer, type Server, type Socket } from 'node:net'
import { once } from 'node:events'
import { Client } from 'pg'
import { afterAll, beforeAll } from 'vitest'
import { describeDriverContract } from '@leasehold/testkit/contracts'
import { freePort, usePostgres } from '@leasehold/testkit/postgres'
import { pgDriver } from './pg-driver.js'

const database = usePostgres()
let silent: Server
const silentSockets = new Set<Socket>()
let admin: Client

beforeAll(async () => {
  silent = createServer((socket) => {
    silentSockets.add(socket)
    socket
      .on('close', () => silentSockets.delete(socket))
      .on('error', () => {})
      .resume()
  }).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  admin = new Client(database.url)
  await admin.connect()
})

afterAll(async () => {
  await admin.end()
  silent.close()
})

describeDriverContract('pg', async () => {
  const { port } = silent.address() as { port: number }
  const name = `contract ${Math.random()}`
  const deadPort = await freePort()
  return {
    driver: pgDriver({
      connectionString: database.url,
      application_name: name,
      // Otherwise a sleeping backend would not notice that its socket is gone.
      options: '-c client_connection_check_interval=50',
    }),
    refused: pgDriver({ host: '127.0.0.1', port: deadPort }),
    silent: pgDriver({ host: '127.0.0.1', port, user: 'nobody' }),
    statements: {
      ok: 'select 1',
      failing: 'select 1 from nothing_like_it',
      begin: 'begin',
      endless: 'select pg_sleep(60)',
      withLiterals: {
        text: `select 'secret', E'es\\'caped', $$dollars$$, 4711 from t where a = 'it''s'`,
        literals: ['secret', 'caped', 'dollars', '4711', "it''s"],
      },
    },
    query: (client, statement) => client.query(statement),
    kill: async (client) => {
      const { processID } = client as unknown as { processID: number }
      await admin.query('select pg_terminate_backend($1)', [processID])
    },
    sockets: async () => {
      const { rows } = await admin.query<{ count: string }>(
        'select count(*) from pg_stat_activity where application_name = $1',
        [name],
      )
      return Number(rows[0]?.count) + silentSockets.size
    },
  }
})
