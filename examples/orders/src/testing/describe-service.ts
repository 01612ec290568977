import { once } from 'node:events'
import { type ClientRequest, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LeakEvent } from '@leasehold/core'
import { createPgPool, type LeasedPgPool, type LeasedPgPoolOptions } from '@leasehold/pg'
import { usePostgres } from '@leasehold/testkit/postgres'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createSchema } from '../create-schema.js'
import type { Service, StartService } from '../service.js'
import type { Store } from '../store.js'

/** For `vi.waitFor`: a machine may have other things to do. */
const patience = { timeout: 10_000, interval: 10 }

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: unknown
}

/** What may be relied on of each of the services, on the real server and over real sockets. */
export function describeService(
  name: string,
  { start: startService, openStore }: { readonly start: StartService; openStore(pool: LeasedPgPool): Store },
): void {
  const postgres = usePostgres()
  let pool: LeasedPgPool
  let service: Service
  let leaks: LeakEvent[]
  let locker: Client | undefined

  async function start(leasehold: LeasedPgPoolOptions['leasehold'] = {}): Promise<void> {
    pool = createPgPool({
      connectionString: postgres.url,
      max: 4,
      // On a busy machine forty callers at once can be more than four connections serve in time.
      leasehold: { captureSites: 'always', queueDelay: false, ...leasehold },
    })
    leaks = []
    pool.leases.on('leak', (leak) => leaks.push(leak))
    service = await startService({ pool, store: openStore(pool), withMistakes: true })
  }

  beforeEach(async () => {
    const client = new Client(postgres.url)
    await client.connect()
    await createSchema(client)
    await client.query('truncate accounts, orders, transfers restart identity')
    await client.query(`insert into accounts (owner, balance_cents) values ('Ada', 10000), ('Grace', 10000)`)
    await client.end()
    await start()
  })

  afterEach(async () => {
    await unlockAccount()
    await service.close()
  })

  async function ask(path: string, init: RequestInit = {}): Promise<Answer> {
    const answer = await fetch(`${service.url}${path}`, init)
    const text = await answer.text()
    const isJson = answer.headers.get('content-type')?.startsWith('application/json') === true
    return { status: answer.status, headers: answer.headers, text, json: isJson ? JSON.parse(text) : undefined }
  }

  function send(path: string, body: object): Promise<Answer> {
    return ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  }

  function pay(amountCents: number, payerId = 1, payeeId = 2): Promise<Answer> {
    return send('/transfers', { payerId, payeeId, amountCents })
  }

  function makeMistake(mistake: string): Promise<Answer> {
    return ask(`/mistakes/${mistake}`, { method: 'POST' })
  }

  async function column(statement: string): Promise<unknown[]> {
    const { rows } = await pool.query({ text: statement, rowMode: 'array' })
    return rows.map(([value]: unknown[]) => value)
  }

  function balances(): Promise<unknown[]> {
    return column('select balance_cents from accounts order by id')
  }

  async function fillOrders(count: number): Promise<void> {
    await pool.query(
      `insert into orders (account_id, item, amount_cents) select 1, 'item ' || n, n from generate_series(1, ${count}) n`,
    )
  }

  async function nothingIsHeld(): Promise<void> {
    await vi.waitFor(() => {
      const { connections, waiting } = pool.snapshot()
      expect({ ...connections, waiting: waiting.count }).toMatchObject({ lent: 0, recycling: 0, waiting: 0 })
    }, patience)
  }

  /** Sends a POST over a socket of its own, on which one can hang up. */
  function post(path: string, body: object): ClientRequest {
    const headers = { 'content-type': 'application/json' }
    const sent = request(`${service.url}${path}`, { method: 'POST', agent: false, headers })
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

  describe(name, () => {
    test('a transfer moves the money', async () => {
      const answer = await pay(2_500)

      expect(answer).toMatchObject({ status: 201, json: { id: 1, payerId: 1, payeeId: 2, amountCents: 2_500 } })
      expect(await balances()).toEqual([7_500, 12_500])
      await nothingIsHeld()
    })

    test('a transfer that cannot be made moves nothing, and says why', async () => {
      const answers = [await pay(10_001), await pay(1, 1, 99), await pay(1, 1, 1)]

      expect(answers).toMatchObject([
        { status: 409, json: { code: 'NOT_ENOUGH_MONEY' } },
        { status: 404, json: { code: 'NO_SUCH_ACCOUNT' } },
        { status: 400, json: { code: 'SAME_ACCOUNT' } },
      ])
      expect(await balances()).toEqual([10_000, 10_000])
      expect(await column('select id from transfers')).toEqual([])
      await nothingIsHeld()
    })

    test('many transfers in both directions neither make nor lose money, nor block each other', async () => {
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, at) => (at % 2 === 0 ? pay(10, 1, 2) : pay(10, 2, 1))),
      )

      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
      expect(await balances()).toEqual([10_000, 10_000])
      await nothingIsHeld()
      expect(pool.snapshot().connections.peak).toBeLessThanOrEqual(4)
    })

    test('a transfer whose client hangs up is rolled back', async () => {
      await lockAccount()
      const sent = post('/transfers', { payerId: 1, payeeId: 2, amountCents: 2_500 })
      await untilOneWaitsForALock()

      sent.destroy()
      await sleep(50) // until the service knows
      await unlockAccount()

      await nothingIsHeld()
      expect(await balances()).toEqual([10_000, 10_000])
      expect(await column('select id from transfers')).toEqual([])
    })

    test('an export whose client hangs up gives its connection back', async () => {
      await fillOrders(50_000)
      const sent = request(`${service.url}/orders/export`, { agent: false }).end()
      const [response] = await once(sent, 'response')
      await once(response, 'data')

      sent.destroy()

      await nothingIsHeld()
      await sleep(50)
      await nothingIsHeld()
    })

    test('an export has every order, one a line', async () => {
      await fillOrders(2_345)

      const { headers, text } = await ask('/orders/export')

      expect(headers.get('content-type')).toMatch(/^application\/x-ndjson/)
      const lines = text.trimEnd().split('\n')
      expect(new Set(lines).size).toBe(2_345)
      expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({
        id: 2_345,
        accountId: 1,
        item: 'item 2345',
        amountCents: 2_345,
      })
      await nothingIsHeld()
    })

    test('accounts and orders can be made, read and listed', async () => {
      const opened = await send('/accounts', { owner: 'Edsger', balanceCents: 300 })
      expect(opened).toMatchObject({ status: 201, json: { id: 3, owner: 'Edsger', balanceCents: 300 } })
      expect((await ask('/accounts/3')).json).toEqual(opened.json)

      const order = { accountId: 3, item: 'tea', amountCents: 250 }
      const placed = await send('/orders', order)
      expect(placed).toMatchObject({
        status: 201,
        json: { id: 1, ...order, orderedAt: expect.stringMatching(/^20.*Z$/) },
      })
      expect((await ask('/orders/1')).json).toEqual(placed.json)
      expect((await ask('/accounts/3/orders')).json).toEqual([placed.json])
      expect(await send('/accounts', { owner: 'Barbara' })).toMatchObject({ status: 201, json: { balanceCents: 0 } })
    })

    test('bad input is refused before anything is borrowed', async () => {
      const before = pool.snapshot().counts.granted
      const answers = await Promise.all([
        ask('/accounts/zero'),
        ask('/orders/2147483648'),
        pay(-5),
        send('/orders', { accountId: 1, item: '' }),
        ask('/accounts', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' }),
        ask('/accounts', { method: 'POST' }),
      ])

      expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 400, 400, 400])
      expect(pool.snapshot().counts.granted).toBe(before)
    })

    test('what does not exist is a 404 that says so', async () => {
      const answers = await Promise.all([
        ask('/accounts/99'),
        ask('/orders/99'),
        send('/orders', { accountId: 99, item: 'tea', amountCents: 1 }),
      ])

      expect(answers).toMatchObject([
        { status: 404, json: { message: 'there is no account 99' } },
        { status: 404, json: { message: 'there is no order 99' } },
        { status: 404, json: { message: 'there is no account 99' } },
      ])
      expect((await ask('/nowhere')).status).toBe(404)
    })

    test('a handler that throws in a transaction leaves nothing behind, and its words stay in the log', async () => {
      const answer = await makeMistake('throw')

      expect(answer).toMatchObject({ status: 500, text: expect.not.stringContaining('undefined') })
      await nothingIsHeld()
      expect(await balances()).toEqual([10_000, 10_000])
      expect(leaks).toEqual([])
    })

    test('who gets no connection in time is told to come again, and by nothing more', async () => {
      await service.close()
      await start({ acquireTimeoutMs: 100 })
      const leases = await Promise.all(Array.from({ length: 4 }, () => pool.acquire({ timeoutMs: 10_000 })))

      const answers = [await ask('/accounts/1'), await pay(1)]
      for (const lease of leases) lease.release()

      for (const { status, headers, text } of answers) {
        expect([status, headers.get('retry-after')]).toEqual([503, '1'])
        expect(text).not.toMatch(/\.ts:|held|Knex|Drizzle|Prisma/)
      }
      expect((await ask('/accounts/1')).status).toBe(200)
    })

    test('connections that a handler forgets are taken back, their transactions rolled back, and the line is named', async () => {
      for (const mistake of ['forget-to-release', 'forget-to-commit']) {
        expect((await makeMistake(mistake)).status).toBeLessThan(300)
      }

      await nothingIsHeld()
      const site = expect.stringMatching(/src\/mistakes\.ts:\d+/)
      expect(leaks).toMatchObject([
        { kind: 'left-over', label: 'POST /mistakes/forget-to-release', site },
        { kind: 'left-over', label: 'POST /mistakes/forget-to-commit', site },
      ])
      expect(await balances()).toEqual([10_000, 10_000])
      expect(pool.snapshot().counts.reset['open transaction']).toBe(1)
    })

    test('a connection that is held for too long is reported while it is held', async () => {
      await service.close()
      await start({ leakAfterMs: 300 })
      const answer = makeMistake('hold-too-long')

      await vi.waitFor(() => expect(leaks).toHaveLength(1), patience)
      expect(pool.snapshot().connections.lent).toBe(1)
      expect(leaks).toMatchObject([{ kind: 'overdue', site: expect.stringMatching(/src\/mistakes\.ts:\d+/) }])
      expect(leaks[0]?.busyMs).toBeLessThan(leaks[0]?.heldMs ?? 0)

      expect((await answer).status).toBeLessThan(300)
      await nothingIsHeld()
    })

    test('work after the response gets a connection of its own, and is reported', async () => {
      const sites: Array<string | undefined> = []
      pool.leases.on('late-acquire', ({ site }) => sites.push(site))

      expect((await makeMistake('work-after-response')).status).toBeLessThan(300)

      await vi.waitFor(() => expect(sites).toEqual([expect.stringMatching(/src\/mistakes\.ts:\d+/)]), patience)
      await vi.waitFor(async () => expect(await column('select id from orders')).toHaveLength(1), patience)
      await nothingIsHeld()
    })

    test('when it stops, requests that are under way still get their answers, and then the pool is closed', async () => {
      await lockAccount()
      const answered = once(post('/transfers', { payerId: 1, payeeId: 2, amountCents: 2_500 }), 'response')
      await untilOneWaitsForALock()

      const closed = service.close()
      await sleep(20)
      await unlockAccount()

      const [response] = await answered
      expect(response.statusCode).toBe(201)
      response.resume()
      await closed
      expect(pool.snapshot()).toMatchObject({ state: 'closed', connections: { total: 0 } })
    })
  })
}
