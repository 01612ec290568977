import type { IncomingMessage } from 'node:http'
import type { Writable } from 'node:stream'
import type { Pool, Settings } from '@leasehold/core'
import type { FakeClient } from '../../fake-client.js'

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
