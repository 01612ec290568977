import { Readable } from 'node:stream'
import { type ById, input, linesOf, type NewOrder, type Store } from '@leasehold/example-orders'
import type { FastifyPluginAsync } from 'fastify'

const order = {
  type: 'object',
  properties: {
    id: { type: 'integer' },
    accountId: { type: 'integer' },
    item: { type: 'string' },
    amountCents: { type: 'integer' },
    orderedAt: { type: 'string', format: 'date-time' },
  },
} as const

export const orders: FastifyPluginAsync<{ readonly store: Store }> = async (app, { store }) => {
  app.post<{ Body: NewOrder }>(
    '/orders',
    { schema: { body: input.order, response: { 201: order } } },
    async ({ body }, reply) => reply.code(201).send(await store.placeOrder(body)),
  )

  app.get<{ Params: ById }>(
    '/orders/:id',
    { schema: { params: input.byId, response: { 200: order } } },
    ({ params: { id } }) => store.order(id),
  )

  app.get<{ Params: ById }>(
    '/accounts/:id/orders',
    { schema: { params: input.byId, response: { 200: { type: 'array', items: order } } } },
    ({ params: { id } }) => store.ordersOf(id),
  )

  app.get('/orders/export', (_request, reply) =>
    reply.type('application/x-ndjson').send(Readable.from(linesOf(store.allOrders()))),
  )
}
