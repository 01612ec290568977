import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { mistakes, type Service, type ServiceOptions } from '@leasehold/example-orders'
import { leasehold, leaseholdErrors } from '@leasehold/express'
import express from 'express'
import { accounts } from './accounts.js'
import { answerError } from './answer-error.js'
import { orders } from './orders.js'
import { transfers } from './transfers.js'

/** The service, listening. */
export async function startOnExpress(options: ServiceOptions): Promise<Service> {
  const { pool, store, host = '127.0.0.1', port = 0, log = false, closePool, labelPrefix = '' } = options
  const app = express()

  // From here on each request has a scope: whatever it borrows of the pool is back when its response has closed.
  const leases = leasehold({
    pool,
    closePool,
    label: ({ method, url }) => `${labelPrefix}${method} ${url ?? '(no route)'}`,
  })
  app.use(leases, express.json())

  app.get('/health', (_request, response) => {
    response.json({ status: 'ok' })
  })
  app.use(accounts(store), orders(store), transfers(store))
  if (options.withMistakes === true) {
    for (const [name, make] of Object.entries(mistakes)) {
      app.post(`/mistakes/${name}`, async (_request, response) => {
        response.json(await make({ pool, store }))
      })
    }
  }
  // No connection in time is a 503; all other errors are ours to answer.
  app.use(leaseholdErrors(log ? { log: (error) => console.error(error) } : {}), answerError(log))

  const server = app.listen(port, host)
  await once(server, 'listening')
  const { port: listensOn } = server.address() as AddressInfo
  return { url: `http://${host}:${listensOn}`, close: () => leases.close(server) }
}
