import { existsSync } from 'node:fs'
import { Client } from 'pg'
import { afterEach, expect, test, vi } from 'vitest'
import type { RestartablePostgres } from './restartable-postgres.js'
import { startRestartablePostgres } from './start-restartable-postgres.js'
import { startStandby } from './start-standby.js'

const servers: RestartablePostgres[] = []

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()))
})

async function ask(url: string, question: string): Promise<Record<string, unknown> | undefined> {
  const client = new Client(url)
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(question)).rows[0]
  } finally {
    await client.end()
  }
}

test('a server comes back as it was, at the same place, after each way of stopping it', async () => {
  const server = await startRestartablePostgres()
  servers.push(server)
  await ask(server.url, 'create table kept (n int)')
  for (const how of ['fast', 'immediate'] as const) {
    await ask(server.url, 'insert into kept values (1)')
    const running = ask(server.url, 'select pg_sleep(60)').catch((error: unknown) => error)
    await vi.waitFor(async () =>
      expect(
        await ask(server.url, "select count(*) from pg_stat_activity where query = 'select pg_sleep(60)'"),
      ).toEqual({ count: '1' }),
    )
    await server.halt(how)
    // Of a crash a session may hear nothing but the end of its connection.
    expect(await running).toBeInstanceOf(Error)
    if (how === 'fast') expect(await running).toMatchObject({ code: '57P01' })
    await expect(ask(server.url, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await server.start()
  }
  expect(await ask(server.url, 'select count(*) from kept')).toEqual({ count: '2' })
  const data = server.dataFolder
  await server.stop()
  expect(existsSync(data)).toBe(false)
})

test('a standby has what its primary acknowledged, is read-only, and takes over', async () => {
  const primary = await startRestartablePostgres()
  servers.push(primary)
  await ask(primary.url, 'create table kept (n int)')
  const standby = await startStandby(primary)
  servers.push(standby)
  await ask(primary.url, 'insert into kept values (1)')
  await expect(ask(standby.url, 'insert into kept values (2)')).rejects.toMatchObject({ code: '25006' })
  await primary.halt('immediate')
  await standby.promote()
  await ask(standby.url, 'insert into kept values (2)')
  expect(await ask(standby.url, 'select count(*) from kept')).toEqual({ count: '2' })
})
