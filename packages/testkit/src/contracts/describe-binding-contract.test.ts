import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { findLeaseholdError, givenLabel, openScope, type Scope } from '@leasehold/core'
import type { BindingRoute, BindingServer } from './binding/binding-contract-harness.js'
import { describeBindingContract } from './describe-binding-contract.js'

/** A binding for `node:http` itself, the plainest that can be. */
describeBindingContract('a binding in thirty lines', {
  async start(_pool, routes, { idleTimeoutMs, settings, label }): Promise<BindingServer> {
    const server = createServer((incoming, response) => {
      const route = routes.find(({ method }) => method === incoming.method && incoming.url?.startsWith('/orders/'))
      const declared = settings && (() => settings(incoming))
      const asked = { method: incoming.method ?? 'GET', url: route?.path }
      const name = (label && givenLabel(label, asked)) ?? `${asked.method} ${asked.url ?? '?'}`
      const scope = openScope({ label: name, settings: declared })
      const gone = (): Error | undefined => (response.writableFinished ? undefined : new Error('the client hung up'))
      const end = (): void => {
        incoming.socket.off('close', end)
        void scope.close(gone()).catch(() => {})
      }
      response.on('close', end)
      // A response that waits in the pipe behind another one never has the socket, and does not hear of its end.
      incoming.socket.on('close', end)
      void scope.run(() => answer(route, scope, incoming, response))
    })
    server.setTimeout(idleTimeoutMs ?? 0)
    server.listen(0)
    await once(server, 'listening')
    return {
      port: (server.address() as AddressInfo).port,
      stop: async () => {
        server.close()
        server.closeAllConnections()
        await once(server, 'close')
      },
    }
  },
})

async function answer(
  route: BindingRoute | undefined,
  scope: Scope,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (route === undefined) {
    response.writeHead(404).end()
    return
  }
  try {
    await route.handler({
      signal: scope.signal,
      body: await text(incoming),
      reply: (status, body) => response.writeHead(status).end(body),
      stream: () => response,
    })
  } catch (error) {
    const ours = findLeaseholdError(error)
    if (ours?.retryAfterMs === undefined) response.writeHead(500).end()
    else response.writeHead(503, { 'retry-after': `${Math.ceil(ours.retryAfterMs / 1_000)}` }).end(ours.message)
  }
}
