import { once } from 'node:events'
import { type ClientRequest, createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { leasehold, leaseholdErrors, type LeaseholdMiddleware } from '@leasehold/express'
import { createPgPool, type LeasedPgPool } from '@leasehold/pg'
import { usePostgres } from '@leasehold/testkit/postgres'
import express5, { type Request, type Response } from 'express'
import express4 from 'express4'
import { Client, type PoolClient } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'

type Work = (client: PoolClient, req: Request, res: Response) => unknown

interface Sender {
  readonly method?: 'GET' | 'POST'
  /** When its client hangs up; undefined: it waits for the whole answer. */
  readonly hangsUp?: 'while it waits' | 'after the first bytes'
}

/** Each leaves its client with an open transaction in which a row was written. */
const ends: ReadonlyArray<readonly [string, Sender, Work]> = [
  ['is answered', {}, (_client, _req, res) => res.send('done')],
  [
    'fails in its handler',
    {},
    () => {
      throw new Error('of the handler')
    },
  ],
  ['fails in the database', {}, (client) => client.query('select 1 / 0')],
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
    (_client, _req, res) => {
      res.write('the first row')
      return new Promise(() => {})
    },
  ],
  [
    'is answered by a timeout while its handler goes on',
    {},
    (_client, _req, res) => {
      setTimeout(() => res.status(503).send('too slow'), 50)
      return new Promise(() => {})
    },
  ],
]

const versions: ReadonlyArray<readonly [string, typeof express5]> = [
  ['Express 5', express5],
  ['Express 4', express4 as unknown as typeof express5],
]

const postgres = usePostgres()

describe.each(versions)('on %s a request that', (_, express) => {
  let outside: Client
  let pool: LeasedPgPool
  let leases: LeaseholdMiddleware<unknown>
  let server: Server

  beforeAll(async () => {
    outside = new Client(postgres.url)
    await outside.connect()
    await outside.query('create table if not exists rows (number int)')
  })

  afterAll(() => outside.end())

  afterEach(async () => {
    await leases.close(server)
    // oxlint-disable-next-line vitest/no-standalone-expect -- holds after each of them
    expect(pool.leases.snapshot()).toMatchObject({ state: 'closed', connections: { total: 0 } })
  })

  async function serve(work: Work): Promise<{ readonly written: () => number }> {
    let written = 0
    pool = createPgPool({
      connectionString: postgres.url,
      max: 2,
      application_name: 'express',
      leasehold: { closeGraceMs: 50 },
    })
    const app = express()
    app.set('env', 'test')
    leases = leasehold({ pool })
    app.use(leases, express.text())
    const transaction = async (req: Request, res: Response): Promise<void> => {
      const client = await pool.connect()
      await client.query('begin')
      await client.query('insert into rows values (1)')
      written += 1
      await work(client, req, res)
    }
    // Express 4 does not look at what a handler returns.
    app.all('/orders/:id', (req, res, next) => void transaction(req, res).then(undefined, next))
    app.use(leaseholdErrors())
    server = createServer(app).listen(0)
    await once(server, 'listening')
    return { written: () => written }
  }

  function send({ method = 'GET' }: Sender): ClientRequest {
    const { port } = server.address() as AddressInfo
    const headers = method === 'POST' ? { 'content-type': 'text/plain', 'content-length': 8 } : {}
    const sent = request({ port, path: '/orders/7', method, headers, agent: false })
    sent.on('error', () => {})
    sent.end(method === 'POST' ? 'an order' : undefined)
    return sent
  }

  it.each(ends)('%s leaves no transaction, no row and no lease behind', async (_name, sender, work) => {
    const { written } = await serve(work)
    const sent = send(sender)
    if (sender.hangsUp === undefined) {
      const [response] = (await once(sent, 'response')) as [NodeJS.ReadableStream]
      await once(response.resume(), 'end')
    } else {
      if (sender.hangsUp === 'after the first bytes') await once(sent, 'response')
      await vi.waitFor(() => expect(written()).toBe(1))
      sent.destroy()
    }

    await vi.waitFor(() => expect(pool.leases.snapshot().connections).toMatchObject({ lent: 0, recycling: 0 }), 5_000)
    expect(written()).toBe(1)
    const { rows } = await outside.query<{ state: string }>(
      "select state from pg_stat_activity where application_name = 'express' and state <> 'idle'",
    )
    expect(rows).toEqual([])
    expect((await outside.query('select from rows')).rowCount).toBe(0)
    expect(pool.leases.snapshot().counts.leaks['left-over']).toBe(1)
  })
})
