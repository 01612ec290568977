import { readFile, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { LeasedPgPool } from '@leasehold/pg'
import { usePostgres } from '@leasehold/testkit/postgres'
import type { FastifyInstance } from 'fastify'
import { Client } from 'pg'
import { expect, test } from 'vitest'

const postgres = usePostgres()

test('the lines of the README of @leasehold/fastify serve a request, and close their pool', async () => {
  const readme = await readFile(new URL('../../packages/bindings/fastify/README.md', import.meta.url), 'utf8')
  const [, lines] = /```ts\n([^]*?)```/.exec(readme) ?? []
  expect(lines).toContain('app.register(leasehold, { pool })')
  const file = fileURLToPath(new URL(`readme-of-fastify-${process.pid}.ts`, import.meta.url))
  await writeFile(file, `${String(lines).replace('port: 3000', 'port: 0')}\nexport { app, pool }\n`)
  const client = new Client(postgres.url)
  await client.connect()
  await client.query('create table orders as select 7 as id')
  process.env['DATABASE_URL'] = postgres.url
  try {
    const { app, pool } = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as {
      readonly app: FastifyInstance
      readonly pool: LeasedPgPool
    }
    const labels: string[] = []
    pool.leases.on('release', ({ label }) => labels.push(label))

    const answer = await fetch(`http://localhost:${(app.server.address() as AddressInfo).port}/orders/7`)
    expect(await answer.json()).toEqual({ id: 7 })
    expect(labels).toEqual(['GET /orders/:id'])

    await app.close()
    expect(pool.snapshot()).toMatchObject({ state: 'closed', connections: { total: 0 } })
  } finally {
    delete process.env['DATABASE_URL']
    await rm(file)
    await client.end()
  }
})
