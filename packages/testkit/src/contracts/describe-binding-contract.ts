import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Writable } from 'node:stream'
import { createPool, currentScope, type Pool, type PoolOptions, type Scope, type Settings } from '@leasehold/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { FakeClient } from '../fake-client.js'
import { FakeDriver } from '../fake-driver.js'
import { Gate } from '../gate.js'

/** One request, as every framework could show it to a handler. */
export interface BindingExchange {
  /** The signal that the binding offers on the request. */
  readonly signal: AbortSignal
  /** The body as the framework has read it, as text; empty for a GET. */
  readonly body: string
  readonly reply: (status: number, body: string) => void
  /** Begins a reply of 200 whose body is written bit by bit. */
  readonly stream: () => Writable
}

export interface BindingRoute {
  readonly method: 'GET' | 'POST'
  /** With parameters in the form `/orders/:id`. */
  readonly path: string
  readonly handler: (exchange: BindingExchange) => Promise<void> | void
}

export interface BindingServer {
  readonly port: number
  /** Sends every socket away, as by a forced shutdown, and resolves when none is left. */
  stop(): Promise<void>
}

export interface BindingContractHarness {
  /**
   * Starts a server with the binding over `pool`, as the binding's README shows it, and these routes.
   *
   * @param idleTimeoutMs when given, sockets on which nothing happens for so long are closed by the server.
   * @param settings when given, what the binding is told of the settings of requests.
   */
  start(
    pool: Pool<FakeClient>,
    routes: readonly BindingRoute[],
    idleTimeoutMs?: number,
    settings?: (request: Pick<IncomingMessage, 'headers'>) => Settings,
  ): Promise<BindingServer>
}

/** What every HTTP binding must do with the scopes of its requests, in each way that a request can end. */
export function describeBindingContract(name: string, harness: BindingContractHarness): void {
  describe(`${name}, as a binding`, () => {
    let driver: FakeDriver
    let pool: Pool<FakeClient>
    let server: BindingServer | undefined
    /** The scope of each request in which a handler of these tests ran. */
    let scopes: Scope[]

    afterEach(async () => {
      driver.script.openAll()
      await server?.stop()
      server = undefined
      await pool.close({ deadlineMs: 0 })
      expect(driver.sockets.total).toBe(0)
      expect(driver.violations).toEqual([])
    })

    async function start(
      handler: BindingRoute['handler'],
      options: PoolOptions = {},
      idleTimeoutMs?: number,
      settings?: Parameters<BindingContractHarness['start']>[3],
    ): Promise<void> {
      driver = new FakeDriver()
      pool = createPool(driver, { max: 3, closeGraceMs: 20, ...options })
      scopes = []
      const observed: BindingRoute['handler'] = (exchange) => {
        const scope = currentScope()
        if (scope !== undefined) scopes.push(scope)
        return handler(exchange)
      }
      const routes = (['GET', 'POST'] as const).map((method) => ({ method, path: '/orders/:id', handler: observed }))
      server = await harness.start(pool, routes, idleTimeoutMs, settings)
    }

    function send(
      method: 'GET' | 'POST' = 'GET',
      path = '/orders/7',
      body?: string,
      tenant = 'nobody',
    ): ReturnType<typeof request> {
      const ofBody =
        body === undefined ? {} : { 'content-type': 'text/plain', 'content-length': Buffer.byteLength(body) }
      const headers = { 'x-tenant': tenant, ...ofBody }
      const sent = request({ port: server?.port, method, path, headers, agent: false })
      // Of these tests some hang up on purpose.
      sent.on('error', () => {})
      sent.end(body)
      return sent
    }

    async function answerTo(
      sent: ReturnType<typeof request>,
    ): Promise<{ status: number; body: string; headers: IncomingMessage['headers'] }> {
      const [response] = (await once(sent, 'response')) as [IncomingMessage]
      return { status: response.statusCode ?? 0, body: await text(response), headers: response.headers }
    }

    /** Every scope has closed and nothing is held or waited for in its name. */
    async function allIsBack(requests = 1): Promise<void> {
      await vi.waitFor(
        () => {
          expect(scopes.map((scope) => scope.isOpen)).toEqual(Array.from({ length: requests }, () => false))
          expect(scopes.map((scope) => scope.held)).toEqual(Array.from({ length: requests }, () => 0))
          const { connections, waiting } = pool.snapshot()
          const underWay = connections.lent + connections.recycling + connections.opening + connections.checking
          expect({ underWay, waiting: waiting.count }).toEqual({ underWay: 0, waiting: 0 })
        },
        { timeout: 5_000, interval: 5 },
      )
    }

    it('opens a scope named after method and route, in which nothing is borrowed before the first query', async () => {
      await start(({ reply }) => reply(200, `${currentScope()?.label}, ${pool.snapshot().connections.total} open`))

      expect(await answerTo(send())).toMatchObject({ status: 200, body: 'GET /orders/:id, 0 open' })
      await allIsBack()
    })

    it('closes the scope after a normal reply, whose signal then aborts', async () => {
      const signals: AbortSignal[] = []
      await start(async ({ signal, reply }) => {
        signals.push(signal)
        await pool.use((client) => client.query('select'))
        expect(signal.aborted).toBe(false)
        reply(200, 'done')
      })

      expect(await answerTo(send())).toMatchObject({ status: 200, body: 'done' })
      await allIsBack()
      await vi.waitFor(() => expect(signals.map((signal) => signal.aborted)).toEqual([true]))
    })

    it('declares for each request its own settings, which are asked for at its first lease', async () => {
      const asked: unknown[] = []
      await start(
        async ({ reply }) => {
          const before = asked.length
          await pool.use((client) => client.query('first'))
          await pool.use((client) => client.query('second'))
          currentScope()?.set({ role: 'reader' })
          await pool.use((client) => client.query('third'))
          reply(200, `${asked.length - before}`)
        },
        { max: 1, requireSettings: ['app.tenant_id'] },
        undefined,
        ({ headers }) => {
          asked.push(headers['x-tenant'])
          return { 'app.tenant_id': String(headers['x-tenant']) }
        },
      )

      for (const tenant of ['1', '2'])
        expect((await answerTo(send('GET', '/orders/7', undefined, tenant))).body).toBe('1')

      expect(asked).toEqual(['1', '2'])
      const ran = driver.sessions.flatMap(({ settings }) => settings.ran.map((statement) => statement.settings))
      expect(ran).toEqual(
        ['1', '2'].flatMap((tenant) => {
          const own = { 'app.tenant_id': tenant }
          return [own, own, { ...own, role: 'reader' }]
        }),
      )
    })

    it('takes back what a handler forgot to release', async () => {
      await start(async ({ reply }) => {
        await pool.acquire()
        reply(200, 'done')
      })

      await answerTo(send())

      await allIsBack()
      expect(pool.snapshot().counts.leaks['left-over']).toBe(1)
    })

    it('keeps the scope through the reading of a body', async () => {
      await start(async ({ body, reply }) => {
        await pool.use((client) => client.query('insert'))
        reply(201, `${body} in ${currentScope()?.label}`)
      })

      expect(await answerTo(send('POST', '/orders/7', 'an order'))).toMatchObject({
        status: 201,
        body: 'an order in POST /orders/:id',
      })
      await allIsBack()
    })

    it('closes the scope of a handler that throws, and the framework answers as it always does', async () => {
      await start(async () => {
        await pool.acquire()
        throw new Error('of the handler')
      })

      expect((await answerTo(send())).status).toBe(500)
      await allIsBack()
    })

    it('leaves nothing behind for a route that does not exist', async () => {
      await start(({ reply }) => reply(200, 'done'))

      expect((await answerTo(send('GET', '/nowhere'))).status).toBe(404)
      await allIsBack(0)
    })

    it('closes the scope when the client hangs up while the handler waits for the database', async () => {
      await start(async ({ reply }) => {
        driver.script.next('query', 'never')
        await pool.use((client) => client.query('select'))
        reply(200, 'never sent')
      })
      const sent = send()
      await vi.waitFor(() => expect(pool.snapshot().connections.lent).toBe(1))

      sent.destroy()

      await allIsBack()
    })

    it('cancels what runs when the client hangs up, and the handler learns of it at once', async () => {
      const outcomes: unknown[] = []
      await start(
        async () => {
          driver.script.next('query', 'never')
          await pool.use((client) => client.query('select')).catch((error: unknown) => outcomes.push(error))
        },
        { closeGraceMs: 60_000 },
      )
      const sent = send()
      await vi.waitFor(() => expect(pool.snapshot().connections.lent).toBe(1))

      sent.destroy()

      await allIsBack()
      expect(outcomes).toMatchObject([{ code: 'LEASEHOLD_ABORTED', phase: 'statement', why: 'closed' }])
      expect(driver.countOf('interrupt')).toBe(1)
    })

    it('closes the scope when the client hangs up while the handler waits for a connection', async () => {
      const outcomes: unknown[] = []
      await start(
        async ({ reply }) => {
          outcomes.push(await pool.acquire().catch((error: { code?: unknown }) => error.code))
          reply(200, 'never sent')
        },
        { max: 1 },
      )
      const lease = await pool.acquire()
      const sent = send()
      await vi.waitFor(() => expect(pool.snapshot().waiting.count).toBe(1))

      sent.destroy()

      await vi.waitFor(() => expect(outcomes).toEqual(['LEASEHOLD_SCOPE_CLOSED']))
      lease.release()
      await allIsBack()
    })

    it('closes the scope when the client hangs up on a POST whose body was read', async () => {
      const held = new Gate()
      await start(async ({ reply }) => {
        await pool.acquire()
        await held.promise
        reply(200, 'never sent')
      })
      const sent = send('POST', '/orders/7', 'an order')
      await vi.waitFor(() => expect(pool.snapshot().connections.lent).toBe(1))

      sent.destroy()

      await allIsBack()
      held.open()
    })

    it('closes the scope when the client hangs up in the middle of a stream', async () => {
      await start(async ({ stream }) => {
        await pool.acquire()
        const body = stream()
        body.on('error', () => {})
        body.write('the first of many rows')
      })
      const sent = send()
      const [response] = (await once(sent, 'response')) as [IncomingMessage]
      response.on('error', () => {})
      await once(response, 'data')
      expect(pool.snapshot().connections.lent).toBe(1)

      sent.destroy()

      await allIsBack()
    })

    it('keeps the scope open until a stream has ended', async () => {
      const rest = new Gate()
      await start(async ({ stream }) => {
        const lease = await pool.acquire()
        const body = stream()
        body.write('first,')
        await rest.promise
        body.end(await lease.client.query('last'))
      })
      const answer = answerTo(send())
      await vi.waitFor(() => expect(pool.snapshot().connections.lent).toBe(1))
      rest.open()

      expect(await answer).toMatchObject({ status: 200, body: 'first,last on 1' })
      await allIsBack()
    })

    it('closes the scope when the server’s own timeout ends the request', async () => {
      const held = new Gate()
      await start(
        async ({ reply }) => {
          await pool.acquire()
          await held.promise
          reply(200, 'never sent')
        },
        {},
        50,
      )
      const sent = send()

      await new Promise((resolve) => sent.on('close', resolve))

      await allIsBack()
      held.open()
    })

    it('closes the scope of a handler that hangs for ever, once its client has gone', async () => {
      await start(async ({ stream }) => {
        await pool.acquire()
        stream().write('and then nothing')
        await new Gate().promise
      })
      const sent = send()
      await vi.waitFor(() => expect(pool.snapshot().connections.lent).toBe(1))

      sent.destroy()

      await allIsBack()
    })

    it('lends to work after the response outside the scope, which it cannot hold open', async () => {
      const after: Gate<string> = new Gate()
      const answered = new Gate()
      await start(async ({ reply }) => {
        reply(200, 'done')
        await answered.promise
        after.open(await pool.use((client) => client.query('audit')))
      })
      const late: string[] = []
      pool.on('late-acquire', ({ label }) => late.push(label))

      await answerTo(send())
      await allIsBack()
      answered.open()

      expect(await after.promise).toMatch(/^audit on/)
      await allIsBack()
      expect(pool.snapshot().counts.lateAcquires).toBe(1)
    })

    it('answers 503 and when to come back, where a handler lets a timeout of the pool pass', async () => {
      await start(
        async ({ reply }) => {
          await pool.use((client) => client.query('select'))
          reply(200, 'done')
        },
        { max: 1, acquireTimeoutMs: 20 },
      )
      const lease = await pool.acquire()

      const { status, headers } = await answerTo(send())

      expect(status).toBe(503)
      expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1)
      lease.release()
      await allIsBack()
    })

    it('answers 503 and when to come back to requests that are shed', async () => {
      await start(
        async ({ reply }) => {
          await pool.use(() => new Promise((resolve) => setTimeout(resolve, 20)))
          reply(200, 'done')
        },
        { max: 1, queueDelay: { targetMs: 5, intervalMs: 20 } },
      )
      const answers: Array<ReturnType<typeof answerTo>> = []
      for (let count = 0; count < 60; count += 1) {
        answers.push(answerTo(send()))
        await new Promise((resolve) => setTimeout(resolve, 5))
      }

      const all = await Promise.all(answers)

      const shed = all.filter(({ status }) => status === 503)
      expect(shed.length).toBeGreaterThan(10)
      expect(shed.every(({ headers }) => Number(headers['retry-after']) >= 1)).toBe(true)
      expect(all.filter(({ status }) => status === 200).length).toBe(all.length - shed.length)
      expect(pool.snapshot().counts.shed).toBe(shed.length)
      await allIsBack(60)
    })

    it('answers 503 as well when the pool’s error comes wrapped in an ORM’s', async () => {
      await start(
        async () => {
          await pool.acquire().catch((cause: unknown) => {
            throw new Error('query failed', { cause })
          })
        },
        { max: 1, acquireTimeoutMs: 20 },
      )
      const lease = await pool.acquire()

      expect((await answerTo(send())).status).toBe(503)
      lease.release()
      await allIsBack()
    })

    it('gives each of many requests at a time a scope of its own', async () => {
      await start(async ({ body, reply }) => {
        const scope = currentScope()
        const answers = await Promise.all([1, 2].map(() => pool.use((client) => client.query('select'))))
        reply(200, `${body} ${answers.length} ${scope === currentScope()}`)
      })

      const bodies = await Promise.all(
        Array.from({ length: 20 }, async (_, number) => (await answerTo(send('POST', '/orders/7', `${number}`))).body),
      )

      expect(bodies).toEqual(Array.from({ length: 20 }, (_, number) => `${number} 2 true`))
      await allIsBack(20)
      expect(new Set(scopes).size).toBe(20)
      expect(pool.snapshot().connections.peak).toBeLessThanOrEqual(3)
    })
  })
}
