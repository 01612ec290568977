/* oxlint-disable vitest/no-standalone-expect -- it stands in for the tests that call it */
import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { createPool, type Pool, type PoolOptions, type Scope } from '@leasehold/core'
import { expect, vi } from 'vitest'
import type { FakeClient } from '../fake-client.js'
import { FakeDriver } from '../fake-driver.js'

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/**
 * A service whose database is a fake and whose sockets are real, for one test at a time. Which framework serves is for
 * subclasses to say; what it must never leave behind is looked at when it stops.
 */
export abstract class ServiceOnFakes {
  driver!: FakeDriver
  pool!: Pool<FakeClient>
  /** The first scope of each request, in the order of their coming. */
  scopes: Scope[] = []
  #clients: Array<{ destroy(): unknown }> = []

  /** Where it listens. */
  abstract get port(): number

  /** Ends the server, whatever is under way; may be called before its pool is closed, or at the same time. */
  protected abstract stopServer(): Promise<void>

  protected openPool(options: PoolOptions | undefined): void {
    this.driver = new FakeDriver()
    this.pool = createPool(this.driver, { max: 3, closeGraceMs: 20, ...options })
    this.scopes = []
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

  /** Resolves when the statement that was scripted to be slow has come to the database. */
  async atGate(): Promise<void> {
    await vi.waitFor(() => expect(this.driver.script.gatesOf('query')).toHaveLength(1), { timeout: 5_000, interval: 5 })
  }

  async stop(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.destroy()
    this.driver.script.openAll()
    // Some tests hold a lease on purpose: closing without a deadline takes it back.
    await Promise.all([this.pool.close({ deadlineMs: 0 }), this.stopServer()])
    expect(this.driver.sockets.total).toBe(0)
    expect(this.driver.violations).toEqual([])
  }
}
