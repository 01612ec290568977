import { once } from 'node:events'
import { readFile, rm, writeFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { usePostgres } from '@leasehold/testkit/postgres'
import { Client } from 'pg'
import { expect, test } from 'vitest'

const postgres = usePostgres()

test('the lines of the README of @leasehold/express serve a request, and end with SIGTERM', async () => {
  const readme = await readFile(new URL('../../packages/bindings/express/README.md', import.meta.url), 'utf8')
  const [, lines] = /```ts\n([^]*?)```/.exec(readme) ?? []
  expect(lines).toContain('app.use(leases)')
  const file = fileURLToPath(new URL(`readme-of-express-${process.pid}.ts`, import.meta.url))
  await writeFile(file, `${String(lines).replace('listen(3000)', 'listen(0)')}\nexport { pool, server }\n`)
  const client = new Client(postgres.url)
  await client.connect()
  await client.query('create table orders as select 7 as id')
  const listeners = process.listeners('SIGTERM')
  process.env['DATABASE_URL'] = postgres.url
  try {
    const { server, pool } = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as {
      readonly server: Server
      readonly pool: { readonly leases: { snapshot(): unknown } }
    }
    const answer = await fetch(`http://localhost:${(server.address() as AddressInfo).port}/orders/7`)
    expect(await answer.json()).toEqual({ id: 7 })

    const closed = once(server, 'close')
    const added = process.listeners('SIGTERM').filter((listener) => !listeners.includes(listener))
    expect(added).toHaveLength(1)
    for (const listener of added) {
      process.off('SIGTERM', listener)
      listener('SIGTERM')
    }
    await closed
    await expect.poll(() => pool.leases.snapshot()).toMatchObject({ state: 'closed', connections: { total: 0 } })
  } finally {
    delete process.env['DATABASE_URL']
    await rm(file)
    await client.end()
  }
})
