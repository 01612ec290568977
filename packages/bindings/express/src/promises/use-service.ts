/* oxlint-disable vitest/no-standalone-expect -- it stands in for the tests that call it */
import { once } from 'node:events'
import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerOptions,
} from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { createPool, currentScope, type Pool, type PoolOptions, type Scope } from '@leasehold/core'
import { type FakeClient, FakeDriver } from '@leasehold/testkit'
import type { Express, RequestHandler } from 'express'
import { afterEach, expect, vi } from 'vitest'
import { leasehold, type LeaseholdMiddleware } from '../leasehold.js'
import { leaseholdErrors } from '../leasehold-errors.js'
import type { LeaseholdOptions } from '../leasehold-options.js'
import type { ExpressOf } from './versions.js'

export interface ServiceOptions {
  readonly pool?: PoolOptions
  readonly leasehold?: Partial<LeaseholdOptions>
  readonly server?: ServerOptions
  /** Runs before the middleware is mounted: what is older than it. */
  readonly before?: (app: Express) => unknown
  /** Whether `leaseholdErrors()` stands behind the routes. Default true. */
  readonly errors?: boolean
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A service whose database is a fake, for one test at a time; what it must never leave behind is looked at after each. */
export class Service {
  server!: Server
  driver!: FakeDriver
  pool!: Pool<FakeClient>
  leases!: LeaseholdMiddleware<unknown>
  /** The first scope of each request, in the order of their coming. */
  scopes: Scope[] = []
  readonly express: ExpressOf
  #clients: Array<{ destroy(): unknown }> = []

  constructor(express: ExpressOf) {
    this.express = express
  }

  async start(routes: (app: Express) => unknown, options: ServiceOptions = {}): Promise<void> {
    this.driver = new FakeDriver()
    this.pool = createPool(this.driver, { max: 3, closeGraceMs: 20, ...options.pool })
    this.scopes = []
    const app = this.express()
    app.set('env', 'test')
    await options.before?.(app)
    this.leases = leasehold({ pool: this.pool, ...options.leasehold } as { pool: Pool<FakeClient> })
    app.use(this.leases)
    app.use((_req, _res, next) => {
      const scope = currentScope()
      if (scope !== undefined) this.scopes.push(scope)
      next()
    })
    await routes(app)
    if (options.errors !== false) app.use(leaseholdErrors())
    this.server = createServer(options.server ?? {}, app).listen(0)
    await once(this.server, 'listening')
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  /** Sends a request on a socket of its own. What becomes of it is the test's business. */
  send(
    path: string,
    options: { method?: string; body?: string; headers?: Record<string, string> } = {},
  ): ClientRequest {
    const { method = 'GET', body, headers = {} } = options
    const sent = request({
      port: this.port,
      path,
      method,
      headers: { 'content-type': 'text/plain', ...headers },
      agent: false,
    })
    // Of these tests some hang up on purpose.
    sent.on('error', () => {})
    sent.end(body)
    this.#clients.push(sent)
    return sent
  }

  async answerTo(sent: ClientRequest): Promise<Answer> {
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) }
  }

  async get(path: string): Promise<Answer> {
    return this.answerTo(this.send(path))
  }

  /** A bare socket, for what no HTTP client does. */
  connect(): Socket {
    const socket = connect(this.port)
    socket.on('error', () => {})
    this.#clients.push(socket)
    return socket
  }

  /** Resolves when the scopes of so many requests have closed, and nothing is held or waited for in anybody's name. */
  async allIsBack(requests: number): Promise<void> {
    await vi.waitFor(
      () => {
        expect(this.scopes.map((scope) => scope.isOpen)).toEqual(Array.from({ length: requests }, () => false))
        const { connections, waiting } = this.pool.snapshot()
        const underWay = connections.lent + connections.recycling + connections.opening + connections.checking
        expect({ underWay, waiting: waiting.count }).toEqual({ underWay: 0, waiting: 0 })
      },
      { timeout: 5_000, interval: 5 },
    )
  }

  async lent(count: number): Promise<void> {
    await vi.waitFor(() => expect(this.pool.snapshot().connections.lent).toBe(count), { timeout: 5_000, interval: 5 })
  }

  async stop(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.destroy()
    this.driver.script.openAll()
    if (this.server.listening) {
      this.server.close()
      this.server.closeAllConnections()
      await once(this.server, 'close')
    }
    // Some tests hold a lease on purpose: closing without a deadline takes it back.
    await this.pool.close({ deadlineMs: 0 })
    expect(this.driver.sockets.total).toBe(0)
    expect(this.driver.violations).toEqual([])
  }
}

/** Gives the `describe` that calls it a service of this Express, stopped after each of its tests. */
export function useService(express: ExpressOf): Service {
  const service = new Service(express)
  afterEach(() => service.stop())
  return service
}

/** A handler that may be async in both versions: what it throws goes to the error handlers. */
export function handle(handler: (...args: Parameters<RequestHandler>) => unknown): RequestHandler {
  return (req, res, next) => {
    Promise.resolve()
      .then(() => handler(req, res, next))
      .then(undefined, next)
  }
}
