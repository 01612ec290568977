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
  await admin.query('create table written (row text)')
})

afterAll(async () => {
  await admin.end()
  silent.close()
})

describeDriverContract('pg', async () => {
  const { port } = silent.address() as { port: number }
  const name = `contract ${Math.random()}`
  const deadPort = await freePort()
  // Otherwise a sleeping backend would not notice that its socket is gone.
  const noticing = '-c client_connection_check_interval=50'
  const config = { connectionString: database.url, application_name: name }
  const kill = async (client: Client): Promise<void> => {
    const { processID } = client as unknown as { processID: number }
    await admin.query('select pg_terminate_backend($1)', [processID])
  }
  await admin.query('truncate written')
  return {
    driver: pgDriver({ ...config, options: noticing }),
    readOnly: pgDriver({ ...config, options: `${noticing} -c default_transaction_read_only=on` }),
    refused: pgDriver({ host: '127.0.0.1', port: deadPort }),
    silent: pgDriver({ host: '127.0.0.1', port, user: 'nobody' }),
    statements: {
      ok: 'select 1',
      failing: 'select 1 from nothing_like_it',
      begin: 'begin',
      rollback: 'rollback',
      endless: 'select pg_sleep(60)',
      slowControl: 'begin; select pg_sleep(0.3)',
      write: (row) => `insert into written values ('${row}')`,
      leaving: { text: "set work_mem = '8MB'", kind: 'setting', name: 'work_mem' },
      withLiterals: {
        text: `select 'secret', E'es\\'caped', $$dollars$$, 4711 from t where a = 'it''s'`,
        literals: ['secret', 'caped', 'dollars', '4711', "it''s"],
      },
    },
    settings: {
      taken: ['app.tenant', '42'],
      refused: ['work_mem', 'plenty'],
      readOnly: ['default_transaction_read_only', 'on'],
      read: async (client) => {
        const { rows } = await client.query<{ tenant: string }>("select current_setting('app.tenant', true) as tenant")
        return rows[0]?.tenant
      },
    },
    query: (client, statement) => client.query(statement),
    kill,
    // What a server says that is being shut down, and one session of it that is told to end, is the same.
    shutDown: kill,
    rows: async () => (await admin.query<{ row: string }>('select row from written')).rows.map(({ row }) => row),
    sockets: async () => {
      const { rows } = await admin.query<{ count: string }>(
        'select count(*) from pg_stat_activity where application_name = $1',
        [name],
      )
      return Number(rows[0]?.count) + silentSockets.size
    },
  }
})
