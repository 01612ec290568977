import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { createPool, currentScope, type Pool, type PoolOptions, type Scope } from '@leasehold/core'
import { expect, vi } from 'vitest'
import type { FakeClient } from '../../fake-client.js'
import { FakeDriver } from '../../fake-driver.js'
import type {
  BindingContractHarness,
  BindingRoute,
  BindingServer,
  BindingServerOptions,
} from './binding-contract-harness.js'

/** What was answered to a request. */
export interface BindingAnswer {
  readonly status: number
  readonly body: string
  readonly headers: IncomingMessage['headers']
}

/** What the parts of the suite stand on: a server for each test, and what they ask of it. */
export class BindingContract {
  readonly #harness: BindingContractHarness
  driver = new FakeDriver()
  #pool: Pool<FakeClient> | undefined
  #server: BindingServer | undefined
  /** The scope of each request in which a handler of these tests ran. */
  scopes: Scope[] = []

  constructor(harness: BindingContractHarness) {
    this.#harness = harness
  }

  get pool(): Pool<FakeClient> {
    if (this.#pool === undefined) throw new Error('there is a pool only once a test has started its server')
    return this.#pool
  }

  async start(
    handler: BindingRoute['handler'],
    options: PoolOptions = {},
    { transaction, ...server }: BindingServerOptions & Pick<BindingRoute, 'transaction'> = {},
  ): Promise<void> {
    this.driver = new FakeDriver()
    this.#pool = createPool(this.driver, { max: 3, closeGraceMs: 20, ...options })
    this.scopes = []
    const observed: BindingRoute['handler'] = (exchange) => {
      const scope = currentScope()
      if (scope !== undefined) this.scopes.push(scope)
      return handler(exchange)
    }
    const route = { path: '/orders/:id', handler: observed, transaction }
    const routes = (['GET', 'POST'] as const).map((method) => ({ method, ...route }))
    this.#server = await this.#harness.start(this.pool, routes, server)
  }

  async end(): Promise<void> {
    this.driver.script.openAll()
    await this.#server?.stop()
    this.#server = undefined
    await this.pool.close({ deadlineMs: 0 })
    expect(this.driver.sockets.total).toBe(0)
    expect(this.driver.violations).toEqual([])
  }

  send(
    method: 'GET' | 'POST' = 'GET',
    path = '/orders/7',
    body?: string,
    tenant = 'nobody',
  ): ReturnType<typeof request> {
    const ofBody = body === undefined ? {} : { 'content-type': 'text/plain', 'content-length': Buffer.byteLength(body) }
    const headers = { 'x-tenant': tenant, ...ofBody }
    const sent = request({ port: this.#server?.port, method, path, headers, agent: false })
    // Of these tests some hang up on purpose.
    sent.on('error', () => {})
    sent.end(body)
    return sent
  }

  /** A bare socket, for what no HTTP client does. */
  connect(): Socket {
    const socket = connect(this.#server?.port ?? 0)
    socket.on('error', () => {})
    return socket
  }

  async answerTo(sent: ReturnType<typeof request>): Promise<BindingAnswer> {
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    return { status: response.statusCode ?? 0, body: await text(response), headers: response.headers }
  }

  /** Every scope has closed and nothing is held or waited for in its name. */
  async allIsBack(requests = 1): Promise<void> {
    await vi.waitFor(
      () => {
        expect(this.scopes.map((scope) => scope.isOpen)).toEqual(Array.from({ length: requests }, () => false))
        expect(this.scopes.map((scope) => scope.held)).toEqual(Array.from({ length: requests }, () => 0))
        const { connections, waiting } = this.pool.snapshot()
        const underWay = connections.lent + connections.recycling + connections.opening + connections.checking
        expect({ underWay, waiting: waiting.count }).toEqual({ underWay: 0, waiting: 0 })
      },
      { timeout: 5_000, interval: 5 },
    )
  }
}
