import { once } from 'node:events'
import { Agent, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { clsHookedCarrier } from '@leasehold/cls-hooked'
import { currentScope, detached, runInScope, useScopeCarrier } from '@leasehold/core'
import { leasehold } from '@leasehold/fastify'
import { createKnex } from '@leasehold/knex'
import { createPgPool, type LeasedPgPool } from '@leasehold/pg'
import { usePostgres } from '@leasehold/testkit/postgres'
import { createNamespace } from 'cls-hooked'
import fastify, { type FastifyInstance } from 'fastify'
import type { Knex } from 'knex'
import { Query } from 'pg'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

// For the whole process, as in a service: vitest gives each file one of its own.
const namespace = createNamespace('my-service')
useScopeCarrier(clsHookedCarrier(namespace))

const postgres = usePostgres()
let pool: LeasedPgPool
let db: Knex
let app: FastifyInstance
let agent: Agent
let granted: string[]

beforeEach(async () => {
  pool = createPgPool({ connectionString: postgres.url, max: 2 })
  db = createKnex(pool)
  granted = []
  pool.leases.on('release', ({ label }) => granted.push(label))
  agent = new Agent({ keepAlive: true, maxSockets: 4 })
  app = fastify({ forceCloseConnections: true })
  // As such a service has it: first its own context, and everything else within.
  app.addHook('onRequest', (request, _reply, done) => {
    namespace.run(() => {
      namespace.set('user', request.headers['x-user'])
      done()
    })
  })
  await app.register(leasehold, { pool, label: ({ url }) => url ?? 'none' })
})

afterEach(async () => {
  agent.destroy()
  await app.close()
  // oxlint-disable-next-line vitest/no-standalone-expect -- holds after each test
  expect(pool.snapshot()).toMatchObject({ state: 'closed', connections: { total: 0 } })
})

/** Sends a request as `user`, over a socket that others have used before. */
async function ask(path: string, user: string, body?: string): Promise<string> {
  const { port } = app.server.address() as AddressInfo
  const method = body === undefined ? 'GET' : 'POST'
  const headers = { 'x-user': user, 'content-type': 'text/plain' }
  const sent = send({ port, path, method, headers, agent })
  sent.end(body)
  const [response] = await once(sent, 'response')
  let text = ''
  for await (const chunk of response) text += String(chunk)
  return text
}

/** What the code that calls sees of its own request. */
function here(): string {
  return `${String(namespace.get('user'))} in ${currentScope()?.label}`
}

test('the lines of the README do what they say', async () => {
  const seen = await new Promise<unknown>((resolve, reject) => {
    namespace.run(() => {
      namespace.set('user', 'ada')
      runInScope({ label: 'job: send-mail' }, async (scope) => {
        await pool.query('select 1')
        return [namespace.get('user'), currentScope() === scope]
      }).then(resolve, reject)
    })
  })

  expect(seen).toEqual(['ada', true])
  expect(granted).toEqual(['job: send-mail'])
})

test('the queries of a request run in its scope, through the pool and through Knex', async () => {
  const seen: string[] = []
  app.get('/orders', async () => {
    await pool.query('select 1')
    seen.push(here())
    await db.raw('select 1')
    seen.push(here())
    await db.transaction(async (trx) => {
      seen.push(here())
      await trx.raw('select 1')
      seen.push(here())
    })
    return here()
  })
  app.post('/mails', async () => {
    await db.raw('select 1')
    return here()
  })
  await app.listen({ port: 0 })

  expect(await ask('/orders', 'ada')).toBe('ada in /orders')
  expect(await ask('/mails', 'grace', 'a body')).toBe('grace in /mails')

  expect(seen).toEqual(Array(4).fill('ada in /orders'))
  await vi.waitFor(() => expect(granted).toEqual(['/orders', '/orders', '/orders', '/mails']))
})

test('callbacks, rows and streams over a socket that another request opened are in their own request', async () => {
  const seen: string[] = []
  const note = (): void => void seen.push(here())
  app.get('/open', async () => {
    await pool.query('select 1')
    return here()
  })
  app.get('/use', async () => {
    await new Promise<void>((resolve) => {
      pool.query('select 1', () => {
        note()
        resolve()
      })
    })
    await new Promise<void>((resolve) => {
      pool.connect((_error, client, release) => {
        note()
        const query = client?.query(new Query('select 1'))
        query?.on('row', note)
        query?.on('end', () => {
          note()
          release()
          resolve()
        })
      })
    })
    await db.raw('select 1').on('query-response', note)
    for await (const row of db.raw('select 1').stream().on('data', note)) void row
    return here()
  })
  pool.leases.resize(1)
  await app.listen({ port: 0 })

  expect(await ask('/open', 'ada')).toBe('ada in /open')
  expect(await ask('/use', 'grace')).toBe('grace in /use')

  expect(pool.snapshot().counts.opened).toBe(1)
  expect(seen).toEqual(Array(6).fill('grace in /use'))
})

test('requests that run at the same time never see each other, however their turns fall', async () => {
  app.get<{ Params: { id: string } }>('/orders/:id', async ({ params }) => {
    const before = here()
    const { rows } = await pool.query('select $1::text as id, pg_sleep(random() * 0.005)', [params.id])
    const between = here()
    const [row] = await db.select(db.raw('? as id', [params.id]))
    return [before, between, here(), rows[0].id, row.id].join()
  })
  await app.listen({ port: 0 })

  const numbers = Array.from({ length: 100 }, (_, number) => number)
  const answers = await Promise.all(numbers.map((number) => ask(`/orders/${number}`, `user ${number}`)))

  expect(answers).toEqual(
    numbers.map((number) => {
      const own = `user ${number} in /orders/:id`
      return [own, own, own, number, number].join()
    }),
  )
})

test('who waited for a connection goes on in its own request, and not in that of who released', async () => {
  pool.leases.resize(1)
  app.get('/first', async () => {
    const client = await pool.connect()
    await vi.waitFor(() => expect(pool.waitingCount).toBe(1))
    client.release()
    return here()
  })
  app.get('/second', async () => {
    const waited = await new Promise<string>((resolve) => {
      pool.connect((_error, _client, release) => {
        release()
        resolve(here())
      })
    })
    return `${waited}, ${here()}`
  })
  await app.listen({ port: 0 })

  const first = ask('/first', 'ada')
  await vi.waitFor(() => expect(pool.snapshot().connections.lent).toBe(1))
  const second = ask('/second', 'grace')

  expect(await first).toBe('ada in /first')
  expect(await second).toBe('grace in /second, grace in /second')
})

test('what a connection does by itself belongs to no request', async () => {
  const seen: string[] = []
  const own = createPgPool({ connectionString: postgres.url, onConnect: () => void seen.push(here()) })

  await namespace.runPromise(async () => {
    namespace.set('user', 'ada')
    await runInScope({ label: 'the opener' }, () => own.query('select 1'))
  })
  await own.end()

  expect(seen).toEqual(['undefined in undefined'])
})

test('what a request leaves behind is taken back, also when it throws and when it works on after the response', async () => {
  const late: string[] = []
  let worked: Promise<unknown> = Promise.resolve()
  app.get('/forgets', async () => {
    const client = await pool.connect()
    await client.query('begin')
    throw new Error('of the handler')
  })
  app.get('/works-on', async () => {
    worked = detached(async () => {
      await db.raw('select pg_sleep(0.05)')
      late.push(here())
    })
    return here()
  })
  await app.listen({ port: 0 })

  for (let request = 0; request < 3; request += 1) expect(await ask('/forgets', 'ada')).toContain('of the handler')
  expect(await ask('/works-on', 'grace')).toBe('grace in /works-on')
  await worked

  expect(late).toEqual(['undefined in detached from /works-on'])
  await vi.waitFor(() => expect(pool.snapshot().connections).toMatchObject({ lent: 0, recycling: 0 }))
  expect(pool.snapshot().counts.leaks['left-over']).toBe(3)
})
