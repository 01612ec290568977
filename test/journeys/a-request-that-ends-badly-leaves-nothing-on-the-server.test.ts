import { once } from 'node:events'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { leasehold } from '@leasehold/fastify'
import { createPgPool, type LeasedPgPool } from '@leasehold/pg'
import { usePostgres } from '@leasehold/testkit/postgres'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { Client, type PoolClient } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'

const postgres = usePostgres()

/** How a request is sent, and how its client behaves. */
interface Sender {
  readonly method?: 'GET' | 'POST'
  readonly path?: string
  /** When its client hangs up; undefined: it waits for the whole answer. */
  readonly hangsUp?: 'while it waits' | 'after the first bytes'
}

type Handler = (client: PoolClient, request: FastifyRequest, reply: FastifyReply) => unknown

/** Each leaves its client with an open transaction in which a row was written. */
const ends: ReadonlyArray<readonly [string, Sender, Handler]> = [
  ['is answered', {}, () => 'done'],
  [
    'fails in its handler',
    {},
    () => {
      throw new Error('of the handler')
    },
  ],
  ['fails in the database', {}, (client) => client.query('select 1 / 0')],
  ['takes longer than its handler may', { path: '/impatient' }, () => new Promise(() => {})],
  ['is given up by its client while the handler waits', { hangsUp: 'while it waits' }, () => new Promise(() => {})],
  [
    'is given up by its client while a statement runs',
    { hangsUp: 'while it waits' },
    (client) => client.query('select pg_sleep(60)'),
  ],
  [
    'is given up by its client after its body was read',
    { method: 'POST', hangsUp: 'while it waits' },
    () => new Promise(() => {}),
  ],
  [
    'is given up by its client in the middle of the answer',
    { hangsUp: 'after the first bytes' },
    (_client, _request, reply) => {
      reply.raw.writeHead(200)
      reply.raw.write('the first row')
      return new Promise(() => {})
    },
  ],
  [
    'is hijacked, and given up by its client',
    { hangsUp: 'after the first bytes' },
    (_client, _request, reply) => {
      reply.hijack()
      reply.raw.writeHead(200)
      reply.raw.write('the first row')
    },
  ],
  [
    'is hijacked and answered',
    {},
    (_client, _request, reply) => {
      reply.hijack()
      reply.raw.end('all rows')
    },
  ],
]

describe('a request that', () => {
  let outside: Client
  let pool: LeasedPgPool
  let app: FastifyInstance
  let written = 0

  beforeAll(async () => {
    outside = new Client(postgres.url)
    await outside.connect()
    await outside.query('create table rows (number int)')
  })

  afterAll(() => outside.end())

  beforeEach(() => {
    pool = createPgPool({
      connectionString: postgres.url,
      max: 2,
      application_name: 'journey',
      leasehold: { closeGraceMs: 50 },
    })
    app = fastify({ forceCloseConnections: true })
    written = 0
  })

  afterEach(async () => {
    await app.close()
    // oxlint-disable-next-line vitest/no-standalone-expect -- holds after each of them
    expect(pool.leases.snapshot()).toMatchObject({ state: 'closed', connections: { total: 0 } })
  })

  async function serve(handler: Handler): Promise<void> {
    await app.register(leasehold, { pool })
    for (const [path, handlerTimeout] of [
      ['/', undefined],
      ['/impatient', 500],
    ] as const) {
      app.route({
        method: ['GET', 'POST'],
        url: path,
        ...(handlerTimeout === undefined ? {} : { handlerTimeout }),
        handler: async (received, reply) => {
          const client = await pool.connect()
          await client.query('begin')
          await client.query('insert into rows values (1)')
          written += 1
          // And it forgets to release.
          return handler(client, received, reply)
        },
      })
    }
    // The handler of `/impatient` must come to its insert in time.
    await pool.query('select 1')
    await app.listen({ port: 0 })
  }

  async function send({ method = 'GET', path = '/', hangsUp }: Sender): Promise<void> {
    const { port } = app.server.address() as AddressInfo
    const headers = { 'content-type': 'text/plain' }
    const sent = request({ port, path, method, headers, agent: false })
    sent.on('error', () => {})
    sent.end(method === 'POST' ? 'a body' : undefined)
    if (hangsUp === 'while it waits') {
      await vi.waitFor(() => expect(written).toBe(1))
      sent.destroy()
      return
    }
    const [response] = await once(sent, 'response')
    if (hangsUp === undefined) {
      response.resume()
      await once(response, 'end')
      return
    }
    response.on('error', () => {})
    await once(response, 'data')
    sent.destroy()
  }

  it.each(ends)('%s holds no connection, and its transaction is rolled back', async (_, sender, handler) => {
    await serve(handler)

    await send(sender)

    await vi.waitFor(
      async () => {
        const { connections, counts } = pool.leases.snapshot()
        expect({ ...connections, leaks: counts.leaks['left-over'] }).toMatchObject({ lent: 0, recycling: 0, leaks: 1 })
        const { rows } = await outside.query(
          "select state from pg_stat_activity where application_name = 'journey' and state <> 'idle'",
        )
        expect(rows).toEqual([])
      },
      { timeout: 10_000 },
    )
    expect(written).toBe(1)
    const { rows } = await outside.query('select * from rows')
    expect(rows).toEqual([])
    // Whatever is lent next stands in no transaction.
    await expect(pool.query('vacuum rows')).resolves.toBeDefined()
  })

  it('finds no connection free is answered 503, and its client learns nothing of who has them', async () => {
    await app.register(leasehold, { pool, deadlineMs: 50 })
    app.get('/', async () => pool.query('select 1'))
    const holders = await Promise.all([pool.connect(), pool.connect()])

    const reply = await app.inject('/')

    expect(reply.statusCode).toBe(503)
    expect(reply.headers['retry-after']).toBe('1')
    expect(reply.json()).toEqual({
      statusCode: 503,
      error: 'Service Unavailable',
      code: 'LEASEHOLD_ACQUIRE_TIMEOUT',
      message: 'The service cannot answer at the moment: try again in 1 s',
    })
    for (const holder of holders) holder.release()
  })
})
