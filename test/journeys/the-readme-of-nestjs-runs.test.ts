import { readFile, rm, writeFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { usePostgres } from '@leasehold/testkit/postgres'
import type { Type } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'

const postgres = usePostgres()
let client: Client

beforeAll(async () => {
  client = new Client(postgres.url)
  await client.connect()
  await client.query('create table orders as select 7 as id')
  process.env['DATABASE_URL'] = postgres.url
})
afterAll(async () => {
  delete process.env['DATABASE_URL']
  await client.end()
})

test.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])(
  'the lines of the README of @leasehold/nestjs serve a request on %s, and close their pool',
  async (name, adapter) => {
    const readme = await readFile(new URL('../../packages/bindings/nestjs/README.md', import.meta.url), 'utf8')
    const [, lines] = /```ts\n([^]*?)```/.exec(readme) ?? []
    expect(lines).toContain('LeaseholdModule.forRoot({ pool })')
    const file = fileURLToPath(new URL(`readme-of-nestjs-${name}-${process.pid}.ts`, import.meta.url))
    await writeFile(file, `${lines}\nexport { pool }\n`)
    try {
      const { AppModule, pool } = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as {
        readonly AppModule: Type
        readonly pool: { readonly leases: { snapshot(): unknown } }
      }
      const app = await NestFactory.create(AppModule, adapter(), { logger: false, abortOnError: false })
      await app.listen(0)
      const { port } = (app.getHttpServer() as Server).address() as AddressInfo

      const answer = await fetch(`http://localhost:${port}/orders/7`)
      expect(await answer.json()).toEqual({ id: 7 })

      await app.close()
      expect(pool.leases.snapshot()).toMatchObject({ state: 'closed', connections: { total: 0 } })
    } finally {
      await rm(file)
    }
  },
)
