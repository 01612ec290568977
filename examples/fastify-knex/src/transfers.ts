import type { FastifyPluginAsync } from 'fastify'
import type { Knex } from 'knex'
import { transfer, type TransferOrder } from './transfer.js'
import { id, someCents } from './validation.js'

const transferOrder = {
  type: 'object',
  required: ['payerId', 'payeeId', 'amountCents'],
  additionalProperties: false,
  properties: { payerId: id, payeeId: id, amountCents: someCents },
} as const

const made = {
  type: 'object',
  properties: { id, payerId: id, payeeId: id, amountCents: { type: 'integer' } },
} as const

export const transfers: FastifyPluginAsync<{ readonly knex: Knex }> = async (app, { knex }) => {
  app.post<{ Body: TransferOrder }>(
    '/transfers',
    { schema: { body: transferOrder, response: { 201: made } } },
    async ({ body, leasehold }, reply) => {
      const { id: transferId } = await transfer(knex, body, leasehold.signal)
      return reply.code(201).send({ id: transferId, ...body })
    },
  )
}
