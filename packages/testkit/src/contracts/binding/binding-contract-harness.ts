import type { IncomingMessage } from 'node:http'
import type { Writable } from 'node:stream'
import type { DeclaredTransaction, LeaseholdRoute, Pool, Settings } from '@leasehold/core'
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
  /** The handler shall run in a transaction, as this says. Only where the harness has these. */
  readonly transaction?: DeclaredTransaction | undefined
}

export interface BindingServer {
  readonly port: number
  /** Sends every socket away, as by a forced shutdown, and resolves when none is left. */
  stop(): Promise<void>
}

/** How a server is to be set up. */
export interface BindingServerOptions {
  /** Sockets on which nothing happens for so long are closed by the server. */
  readonly idleTimeoutMs?: number | undefined
  /** What the binding is told of the settings of requests. */
  readonly settings?: ((request: Pick<IncomingMessage, 'headers'>) => Settings) | undefined
  /** What the binding is told of the names of routes. */
  readonly label?: ((route: LeaseholdRoute) => string) | undefined
  /** What the binding is told of the deadline of requests. */
  readonly deadlineMs?: number | undefined
}

export interface BindingContractHarness {
  /** Starts a server with the binding over `pool`, as the binding's README shows it, and these routes. */
  start(pool: Pool<FakeClient>, routes: readonly BindingRoute[], options: BindingServerOptions): Promise<BindingServer>
  /** Whether routes can be transactions with this binding: then these are looked at as well. */
  readonly hasTransactions?: boolean
}
