import { type ById, input, type NewAccount, type Store } from '@leasehold/example-orders'
import type { FastifyPluginAsync } from 'fastify'

const account = {
  type: 'object',
  properties: { id: { type: 'integer' }, owner: { type: 'string' }, balanceCents: { type: 'integer' } },
} as const

export const accounts: FastifyPluginAsync<{ readonly store: Store }> = async (app, { store }) => {
  app.post<{ Body: NewAccount }>(
    '/accounts',
    { schema: { body: input.account, response: { 201: account } } },
    async ({ body }, reply) => reply.code(201).send(await store.openAccount(body)),
  )

  app.get<{ Params: ById }>(
    '/accounts/:id',
    { schema: { params: input.byId, response: { 200: account } } },
    ({ params: { id } }) => store.account(id),
  )
}
