import { mistakes, type Service, type ServiceOptions } from '@leasehold/example-orders'
import { leasehold } from '@leasehold/fastify'
import fastify from 'fastify'
import { accounts } from './accounts.js'
import { answerError } from './answer-error.js'
import { orders } from './orders.js'
import { transfers } from './transfers.js'

/** The service, listening. */
export async function startOnFastify(options: ServiceOptions): Promise<Service> {
  const { pool, store, host = '127.0.0.1', port = 0, log = false, closePool, labelPrefix = '' } = options
  const app = fastify({ logger: log })
  app.setErrorHandler(answerError)

  // From here on each request has a scope: whatever it borrows of the pool is back when its response has closed.
  await app.register(leasehold, {
    pool,
    closePool,
    label: ({ method, url }) => `${labelPrefix}${method} ${url ?? '(no route)'}`,
  })

  app.get('/health', () => ({ status: 'ok' }))
  await app.register(accounts, { store })
  await app.register(orders, { store })
  await app.register(transfers, { store })
  if (options.withMistakes === true) {
    for (const [name, make] of Object.entries(mistakes)) app.post(`/mistakes/${name}`, () => make({ pool, store }))
  }

  const url = await app.listen({ host, port })
  return { url, close: () => app.close() }
}
