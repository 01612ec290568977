import type { FastifyPluginAsync } from 'fastify'
import type { Knex } from 'knex'
import { Refusal } from './refusal.js'
import { byId, type ById, cents, id } from './validation.js'

export interface Account {
  readonly id: number
  readonly owner: string
  readonly balanceCents: number
}

/** What of an account is read, under the names that the service answers with. */
export const accountColumns = { id: 'id', owner: 'owner', balanceCents: 'balance_cents' }

const newAccount = {
  type: 'object',
  required: ['owner'],
  additionalProperties: false,
  properties: { owner: { type: 'string', minLength: 1, maxLength: 200 }, balanceCents: { ...cents, default: 0 } },
} as const

const account = {
  type: 'object',
  properties: { id, owner: { type: 'string' }, balanceCents: { type: 'integer' } },
} as const

export const accounts: FastifyPluginAsync<{ readonly knex: Knex }> = async (app, { knex }) => {
  app.post<{ Body: { owner: string; balanceCents: number } }>(
    '/accounts',
    { schema: { body: newAccount, response: { 201: account } } },
    async ({ body: { owner, balanceCents } }, reply) => {
      const [opened] = await knex('accounts').insert({ owner, balance_cents: balanceCents }).returning(['id', 'owner'])
      return reply.code(201).send({ ...opened, balanceCents })
    },
  )

  app.get<ById>('/accounts/:id', { schema: { params: byId, response: { 200: account } } }, async ({ params }) => {
    const found = await knex('accounts').where({ id: params.id }).first<Account | undefined>(accountColumns)
    if (!found) throw new Refusal(404, 'NO_SUCH_ACCOUNT', `there is no account ${params.id}`)
    return found
  })
}
