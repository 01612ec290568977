import { once } from 'node:events'
import { request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { InjectPool, LeaseholdModule } from '@leasehold/nestjs'
import { createPgPool, type LeasedPgPool } from '@leasehold/pg'
import { usePostgres } from '@leasehold/testkit/postgres'
import { Controller, Get, type INestApplication, Module, Post, StreamableFile } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'

const postgres = usePostgres()

const platforms = [
  { name: 'Express', adapter: () => new ExpressAdapter() },
  { name: 'Fastify', adapter: () => new FastifyAdapter({ forceCloseConnections: true }) },
]

describe.each(platforms)('a request of Nest on $name that', ({ name, adapter }) => {
  const table = `rows_${name.toLowerCase()}`
  let outside: Client
  let pool: LeasedPgPool
  let app: INestApplication
  let written: number

  /** Each leaves an open transaction in which a row was written, on a client that is not released. */
  @Controller('orders')
  class Orders {
    constructor(@InjectPool() readonly pool: LeasedPgPool) {}

    @Get('answered')
    async answered(): Promise<string> {
      await this.#write()
      return 'done'
    }

    @Get('failing')
    async failing(): Promise<string> {
      const client = await this.#write()
      await client.query('select 1 / 0')
      return 'never'
    }

    @Get('hanging')
    async hanging(): Promise<string> {
      await this.#write()
      return new Promise(() => {})
    }

    @Get('busy')
    async busy(): Promise<void> {
      const client = await this.#write()
      await client.query('select pg_sleep(60)')
    }

    @Post('posted')
    async posted(): Promise<string> {
      return this.hanging()
    }

    @Get('streamed')
    async streamed(): Promise<StreamableFile> {
      await this.#write()
      const rows = new Readable({ read() {} })
      rows.push('the first row')
      return new StreamableFile(rows)
    }

    async #write() {
      const client = await this.pool.connect()
      await client.query('begin')
      await client.query(`insert into ${table} values (1)`)
      written += 1
      return client
    }
  }

  beforeAll(async () => {
    outside = new Client(postgres.url)
    await outside.connect()
    await outside.query(`create table ${table} (number int)`)
  })
  afterAll(() => outside.end())

  beforeEach(async () => {
    written = 0
    pool = createPgPool({
      connectionString: postgres.url,
      max: 2,
      application_name: table,
      leasehold: { closeGraceMs: 50 },
    })
    @Module({ imports: [LeaseholdModule.forRoot({ pool })], controllers: [Orders] })
    class Service {}
    app = await NestFactory.create(Service, adapter(), { logger: false, forceCloseConnections: true })
    await app.listen(0)
  })
  afterEach(async () => {
    await app.close()
    // oxlint-disable-next-line vitest/no-standalone-expect -- holds after each of them
    expect(pool.leases.snapshot()).toMatchObject({ state: 'closed', connections: { total: 0 } })
  })

  const requests: [string, string, 'while it waits' | 'after the first bytes' | undefined][] = [
    ['is answered', 'answered', undefined],
    ['fails in the database', 'failing', undefined],
    ['is given up by its client while the handler waits', 'hanging', 'while it waits'],
    ['is given up by its client while a statement runs', 'busy', 'while it waits'],
    ['is given up by its client after its body was read', 'posted', 'while it waits'],
    ['is given up by its client in the middle of a streamed file', 'streamed', 'after the first bytes'],
  ]

  it.each(requests)('%s holds no connection, and its transaction is rolled back', async (_, path, hangsUp) => {
    const method = path === 'posted' ? 'POST' : 'GET'
    const { port } = (app.getHttpServer() as Server).address() as AddressInfo
    const headers = { 'content-type': 'text/plain' }
    const sent = request({ port, path: `/orders/${path}`, method, headers, agent: false })
    sent.on('error', () => {})
    sent.end(method === 'POST' ? 'a body' : undefined)
    if (hangsUp === 'while it waits') await vi.waitFor(() => expect(written).toBe(1), { timeout: 5_000 })
    else {
      const [response] = await once(sent, 'response')
      response.on('error', () => {}).resume()
      await once(response, hangsUp === undefined ? 'end' : 'data')
    }
    if (hangsUp !== undefined) sent.destroy()

    await vi.waitFor(
      async () => {
        const { connections, counts } = pool.leases.snapshot()
        expect({ ...connections, leaks: counts.leaks['left-over'] }).toMatchObject({ lent: 0, recycling: 0, leaks: 1 })
        const { rows } = await outside.query(
          'select state from pg_stat_activity where application_name = $1 and state <> $2',
          [table, 'idle'],
        )
        expect(rows).toEqual([])
      },
      { timeout: 10_000 },
    )
    expect(written).toBe(1)
    expect((await outside.query(`select * from ${table}`)).rows).toEqual([])
    // Whatever is lent next stands in no transaction.
    await expect(pool.query(`vacuum ${table}`)).resolves.toBeDefined()
  })
})
