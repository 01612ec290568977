import { once } from 'node:events'
import { type ClientRequest, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LeakEvent } from '@leasehold/core'
import { createPgPool, type LeasedPgPool, type LeasedPgPoolOptions } from '@leasehold/pg'
import { usePostgres } from '@leasehold/testkit/postgres'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import type { Knex } from 'knex'
import { Client } from 'pg'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { buildApp } from './app.js'
import { createSchema } from './create-schema.js'

const postgres = usePostgres()

/** For `vi.waitFor`: a machine may have other things to do. */
const patience = { timeout: 10_000, interval: 10 }

let pool: LeasedPgPool
let app: FastifyInstance
let knex: Knex
let leaks: LeakEvent[]
let locker: Client | undefined

beforeEach(() => start())

async function start(leasehold: LeasedPgPoolOptions['leasehold'] = {}): Promise<void> {
  pool = createPgPool({
    connectionString: postgres.url,
    max: 4,
    leasehold: { captureSites: 'always', ...leasehold },
  })
  leaks = []
  pool.leases.on('leak', (leak) => leaks.push(leak))
  ;({ app, knex } = await buildApp({ pool, withMistakes: true }))
  await createSchema(knex)
  await knex.raw('truncate accounts, orders, transfers restart identity')
  await knex('accounts').insert([
    { owner: 'Ada', balance_cents: 10_000 },
    { owner: 'Grace', balance_cents: 10_000 },
  ])
}

afterEach(async () => {
  await unlockAccount()
  await app.close()
})

async function balances(): Promise<number[]> {
  return knex('accounts').orderBy('id').pluck<number[]>('balance_cents')
}

function pay(amountCents: number, payerId = 1, payeeId = 2): Promise<LightMyRequestResponse> {
  return app.inject({ method: 'POST', url: '/transfers', body: { payerId, payeeId, amountCents } })
}

async function nothingIsHeld(): Promise<void> {
  await vi.waitFor(() => {
    const { connections, waiting } = pool.snapshot()
    expect({ ...connections, waiting: waiting.count }).toMatchObject({ lent: 0, recycling: 0, waiting: 0 })
  }, patience)
}

/** Sends a POST over a socket of its own, on which one can hang up. */
async function post(url: string, body: object): Promise<ClientRequest> {
  if (!app.server.listening) await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const headers = { 'content-type': 'application/json' }
  const sent = request({ port, path: url, method: 'POST', agent: false, headers })
  sent.on('error', () => {})
  sent.end(JSON.stringify(body))
  return sent
}

/** Somebody else works on account 1: transfers from it wait. */
async function lockAccount(): Promise<void> {
  locker = new Client(postgres.url)
  await locker.connect()
  await locker.query('begin')
  await locker.query('select from accounts where id = 1 for update')
}

async function unlockAccount(): Promise<void> {
  await locker?.end()
  locker = undefined
}

async function untilOneWaitsForALock(): Promise<void> {
  const client = new Client(postgres.url)
  await client.connect()
  await vi.waitFor(async () => {
    const { rows } = await client.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    )
    expect(rows).toHaveLength(1)
  }, patience)
  await client.end()
}

test('a transfer moves the money', async () => {
  const answer = await pay(2_500)

  expect(answer.statusCode).toBe(201)
  expect(answer.json()).toEqual({ id: 1, payerId: 1, payeeId: 2, amountCents: 2_500 })
  expect(await balances()).toEqual([7_500, 12_500])
  await nothingIsHeld()
})

test('a transfer that cannot be made moves nothing, and says why', async () => {
  const answers = [await pay(10_001), await pay(1, 1, 99), await pay(1, 1, 1)]

  expect(answers.map((answer) => [answer.statusCode, answer.json<{ code: string }>().code])).toEqual([
    [409, 'NOT_ENOUGH_MONEY'],
    [404, 'NO_SUCH_ACCOUNT'],
    [400, 'SAME_ACCOUNT'],
  ])
  expect(await balances()).toEqual([10_000, 10_000])
  expect(await knex('transfers')).toEqual([])
  await nothingIsHeld()
})

test('many transfers in both directions neither make nor lose money, nor block each other', async () => {
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, at) => (at % 2 === 0 ? pay(10, 1, 2) : pay(10, 2, 1))),
  )

  expect(new Set(answers.map((answer) => answer.statusCode))).toEqual(new Set([201]))
  expect(await balances()).toEqual([10_000, 10_000])
  await nothingIsHeld()
  expect(pool.snapshot().connections.peak).toBeLessThanOrEqual(4)
})

test('a transfer whose client hangs up is rolled back', async () => {
  await lockAccount()
  const sent = await post('/transfers', { payerId: 1, payeeId: 2, amountCents: 2_500 })
  await untilOneWaitsForALock()

  sent.destroy()
  await sleep(50) // until the service knows
  await unlockAccount()

  await nothingIsHeld()
  expect(await balances()).toEqual([10_000, 10_000])
  expect(await knex('transfers')).toEqual([])
})

test('an export whose client hangs up gives its connection back', async () => {
  await knex.raw(
    `insert into orders (account_id, item, amount_cents) select 1, 'item ' || n, n from generate_series(1, 50000) n`,
  )
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const sent = request({ port, path: '/orders/export', agent: false }).end()
  const [response] = await once(sent, 'response')
  await once(response, 'data')
  expect(pool.snapshot().connections.lent).toBe(1)

  sent.destroy()

  await nothingIsHeld()
})

test('an export has every order, one a line', async () => {
  await knex.raw(
    `insert into orders (account_id, item, amount_cents) select 1, 'item ' || n, n from generate_series(1, 1234) n`,
  )

  const { body } = await app.inject('/orders/export')

  const lines = body.trimEnd().split('\n')
  expect(lines).toHaveLength(1_234)
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({
    id: 1_234,
    accountId: 1,
    item: 'item 1234',
    amountCents: 1_234,
  })
  await nothingIsHeld()
})

test('accounts and orders can be made, read and listed', async () => {
  const opened = await app.inject({ method: 'POST', url: '/accounts', body: { owner: 'Edsger', balanceCents: 300 } })
  expect([opened.statusCode, opened.json()]).toEqual([201, { id: 3, owner: 'Edsger', balanceCents: 300 }])
  expect((await app.inject('/accounts/3')).json()).toEqual(opened.json())

  const body = { accountId: 3, item: 'tea', amountCents: 250 }
  const placed = await app.inject({ method: 'POST', url: '/orders', body })
  expect([placed.statusCode, placed.json()]).toMatchObject([201, { id: 1, ...body }])
  expect((await app.inject('/orders/1')).json()).toEqual(placed.json())
  expect((await app.inject('/accounts/3/orders')).json()).toEqual([placed.json()])
})

test('bad input is refused before anything is borrowed', async () => {
  const before = pool.snapshot().counts.granted
  const answers = await Promise.all([
    app.inject('/accounts/zero'),
    app.inject('/orders/2147483648'),
    pay(-5),
    app.inject({ method: 'POST', url: '/orders', body: { accountId: 1, item: '' } }),
    app.inject({ method: 'POST', url: '/accounts', headers: { 'content-type': 'application/json' }, body: '{' }),
  ])

  expect(answers.map((answer) => answer.statusCode)).toEqual([400, 400, 400, 400, 400])
  expect(pool.snapshot().counts.granted).toBe(before)
})

test('what does not exist is a 404 that says so', async () => {
  const order = { accountId: 99, item: 'tea', amountCents: 1 }
  const answers = await Promise.all([
    app.inject('/accounts/99'),
    app.inject('/orders/99'),
    app.inject({ method: 'POST', url: '/orders', body: order }),
  ])

  expect(answers.map((answer) => [answer.statusCode, answer.json<{ message: string }>().message])).toEqual([
    [404, 'there is no account 99'],
    [404, 'there is no order 99'],
    [404, 'there is no account 99'],
  ])
})

test('a handler that throws in a transaction leaves nothing behind, and its words stay in the log', async () => {
  const answer = await app.inject({ method: 'POST', url: '/mistakes/throw' })

  expect([answer.statusCode, answer.body]).toEqual([500, expect.not.stringContaining('undefined')])
  await nothingIsHeld()
  expect(await balances()).toEqual([10_000, 10_000])
  expect(leaks).toEqual([])
})

test('who gets no connection in time is told to come again, and by nothing more', async () => {
  await app.close()
  await start({ acquireTimeoutMs: 100 })
  const clients = await Promise.all(Array.from({ length: 4 }, () => pool.connect()))

  const answer = await app.inject('/accounts/1')
  for (const client of clients) client.release()

  expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '1'])
  expect(answer.body).not.toMatch(/\.ts:|held|Knex/)
  expect((await app.inject('/accounts/1')).statusCode).toBe(200)
})

test('connections that a handler forgets are taken back, their transactions rolled back, and the line is named', async () => {
  for (const mistake of ['forget-to-release', 'forget-to-commit']) {
    expect((await app.inject({ method: 'POST', url: `/mistakes/${mistake}` })).statusCode).toBe(200)
  }

  await nothingIsHeld()
  expect(leaks).toMatchObject([
    {
      kind: 'left-over',
      label: 'POST /mistakes/forget-to-release',
      site: expect.stringMatching(/src\/mistakes\.ts:\d+/),
    },
    {
      kind: 'left-over',
      label: 'POST /mistakes/forget-to-commit',
      site: expect.stringMatching(/src\/mistakes\.ts:\d+/),
    },
  ])
  expect(await balances()).toEqual([10_000, 10_000])
  expect(pool.snapshot().counts.reset['open transaction']).toBe(1)
})

test('a connection that is held for too long is reported while it is held', async () => {
  await app.close()
  await start({ leakAfterMs: 300 })
  const answer = app.inject({ method: 'POST', url: '/mistakes/hold-too-long' })

  await vi.waitFor(() => expect(leaks).toHaveLength(1), patience)
  expect(pool.snapshot().connections.lent).toBe(1)
  expect(leaks).toMatchObject([{ kind: 'overdue', site: expect.stringMatching(/src\/mistakes\.ts:\d+/) }])
  expect(leaks[0]?.busyMs).toBeLessThan(leaks[0]?.heldMs ?? 0)

  expect((await answer).statusCode).toBe(200)
  await nothingIsHeld()
})

test('work after the response gets a connection of its own, and is reported', async () => {
  const sites: Array<string | undefined> = []
  pool.leases.on('late-acquire', ({ site }) => sites.push(site))

  expect((await app.inject({ method: 'POST', url: '/mistakes/work-after-response' })).statusCode).toBe(202)

  await vi.waitFor(() => expect(sites).toEqual([expect.stringMatching(/src\/mistakes\.ts:\d+/)]), patience)
  await vi.waitFor(async () => expect(await knex('orders')).toHaveLength(1), patience)
  await nothingIsHeld()
})

test('when it stops, requests that are under way still get their answers, and then the pool is closed', async () => {
  await lockAccount()
  const sent = await post('/transfers', { payerId: 1, payeeId: 2, amountCents: 2_500 })
  await untilOneWaitsForALock()

  const closed = app.close()
  await sleep(20)
  await unlockAccount()

  const [response] = await once(sent, 'response')
  expect(response.statusCode).toBe(201)
  response.resume()
  await closed
  expect(pool.snapshot()).toMatchObject({ state: 'closed', connections: { total: 0 } })
})
