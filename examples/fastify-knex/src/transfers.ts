import { input, type NewTransfer, type Store } from '@leasehold/example-orders'
import type { FastifyPluginAsync } from 'fastify'

const made = {
  type: 'object',
  properties: {
    id: { type: 'integer' },
    payerId: { type: 'integer' },
    payeeId: { type: 'integer' },
    amountCents: { type: 'integer' },
  },
} as const

export const transfers: FastifyPluginAsync<{ readonly store: Store }> = async (app, { store }) => {
  app.post<{ Body: NewTransfer }>(
    '/transfers',
    { schema: { body: input.transfer, response: { 201: made } } },
    async ({ body, leasehold: { signal } }, reply) => {
      // Locks may be long in coming, and a client that has hung up would never learn that its money moved.
      const transfer = await store.transfer(body, () => signal.throwIfAborted())
      return reply.code(201).send(transfer)
    },
  )
}
