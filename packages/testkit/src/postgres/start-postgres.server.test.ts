import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterEach, expect, test, vi } from 'vitest'
import type { PostgresServer } from './postgres-server.js'
import { startPostgres } from './start-postgres.js'

const servers: PostgresServer[] = []

afterEach(async () => {
  vi.unstubAllEnvs()
  await Promise.all(servers.splice(0).map((server) => server.stop()))
})

async function start(options: Parameters<typeof startPostgres>[0] = {}): Promise<PostgresServer> {
  const server = await startPostgres({ embedded: true, ...options })
  servers.push(server)
  return server
}

async function ask(url: string, question: string): Promise<Record<string, unknown> | undefined> {
  const client = new Client(url)
  // The socket of a server that stops may close only after the statement was told.
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(question)).rows[0]
  } finally {
    await client.end()
  }
}

test('a server is the same on every machine: UTF8, locale C, UTC, a superuser with a password', async () => {
  const { url, password } = await start()
  const settings = ['server_encoding', 'lc_messages', 'timezone', 'is_superuser', 'max_connections']
  const columns = settings.map((name) => `current_setting('${name}') as ${name}`)
  const collation = '(select datcollate from pg_database where datname = current_database())'
  expect(await ask(url, `select ${columns.join()}, ${collation}`)).toEqual({
    server_encoding: 'UTF8',
    lc_messages: 'C',
    timezone: 'UTC',
    is_superuser: 'on',
    max_connections: '100',
    datcollate: 'C',
  })
  await expect(ask(url.replace(password, 'wrong'), 'select 1')).rejects.toMatchObject({ code: '28P01' })
})

test('settings reach the server', async () => {
  const { url } = await start({ maxConnections: 7, settings: { idle_session_timeout: '1234' } })
  expect(await ask(url, 'show max_connections')).toEqual({ max_connections: '7' })
  expect(await ask(url, 'show idle_session_timeout')).toEqual({ idle_session_timeout: '1234ms' })
})

test('two servers run side by side', async () => {
  const [one, other] = await Promise.all([start(), start()])
  await ask(one.url, 'create table here (id int)')
  await expect(ask(other.url, 'select * from here')).rejects.toMatchObject({ code: '42P01' })
})

test('stop ends the server and removes its folder, even with a statement running, and may be called again', async () => {
  const { url, stop } = await start()
  const data = String((await ask(url, 'show data_directory'))?.['data_directory'])
  expect(existsSync(data)).toBe(true)
  const running = ask(url, 'select pg_sleep(60)').catch(() => 'ended')
  await Promise.all([stop(), stop()])
  await stop()
  expect(await running).toBe('ended')
  expect(existsSync(data)).toBe(false)
  await expect(ask(url, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test('a server that cannot start says why, and leaves nothing behind', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'leasehold-start-'))
  chmodSync(folder, 0o777)
  vi.stubEnv('TMPDIR', folder)
  try {
    await expect(start({ settings: { shared_buffers: 'plenty' } })).rejects.toThrow(/shared_buffers.*"plenty"/)
    expect(readdirSync(folder)).toEqual([])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('the server that DATABASE_URL names is used, and not stopped', async () => {
  const theirs = await start()
  vi.stubEnv('DATABASE_URL', theirs.url)
  const server = await startPostgres()
  const { url, host, port, user, password, database } = theirs
  expect(server).toMatchObject({ url, host, port, user, password, database })
  await server.stop()
  expect(await ask(url, 'select 1 as one')).toEqual({ one: 1 })
})
