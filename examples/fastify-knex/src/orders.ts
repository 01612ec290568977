import { Readable } from 'node:stream'
import type { FastifyPluginAsync } from 'fastify'
import type { Knex } from 'knex'
import { Refusal } from './refusal.js'
import { byId, type ById, id, someCents } from './validation.js'

interface Order {
  readonly id: number
  readonly accountId: number
  readonly item: string
  readonly amountCents: number
  readonly orderedAt: Date
}

const orderColumns = {
  id: 'id',
  accountId: 'account_id',
  item: 'item',
  amountCents: 'amount_cents',
  orderedAt: 'ordered_at',
}

const newOrder = {
  type: 'object',
  required: ['accountId', 'item', 'amountCents'],
  additionalProperties: false,
  properties: { accountId: id, item: { type: 'string', minLength: 1, maxLength: 200 }, amountCents: someCents },
} as const

const order = {
  type: 'object',
  properties: {
    id,
    accountId: id,
    item: { type: 'string' },
    amountCents: { type: 'integer' },
    orderedAt: { type: 'string', format: 'date-time' },
  },
} as const

export const orders: FastifyPluginAsync<{ readonly knex: Knex }> = async (app, { knex }) => {
  app.post<{ Body: { accountId: number; item: string; amountCents: number } }>(
    '/orders',
    { schema: { body: newOrder, response: { 201: order } } },
    async ({ body: { accountId, item, amountCents } }, reply) => {
      const [placed] = await knex('orders')
        .insert({ account_id: accountId, item, amount_cents: amountCents })
        .returning<Array<{ id: number; ordered_at: Date }>>(['id', 'ordered_at'])
        .catch((error: unknown) => {
          throw isForeignKeyViolation(error)
            ? new Refusal(404, 'NO_SUCH_ACCOUNT', `there is no account ${accountId}`)
            : error
        })
      return reply.code(201).send({ id: placed?.id, accountId, item, amountCents, orderedAt: placed?.ordered_at })
    },
  )

  app.get<ById>('/orders/:id', { schema: { params: byId, response: { 200: order } } }, async ({ params }) => {
    const found = await knex('orders').where({ id: params.id }).first<Order | undefined>(orderColumns)
    if (!found) throw new Refusal(404, 'NO_SUCH_ORDER', `there is no order ${params.id}`)
    return found
  })

  app.get<ById>(
    '/accounts/:id/orders',
    { schema: { params: byId, response: { 200: { type: 'array', items: order } } } },
    ({ params }) =>
      knex('orders')
        .where({ account_id: params.id })
        .orderBy('id', 'desc')
        .limit(20)
        .select<readonly Order[]>(orderColumns),
  )

  /** All orders, one JSON object a line: as long as it takes, and in constant memory. */
  app.get('/orders/export', (_request, reply) => {
    const rows: AsyncIterable<Order> = knex('orders').orderBy('id').select(orderColumns).stream()
    return reply.type('application/x-ndjson').send(Readable.from(linesOf(rows)))
  })
}

function isForeignKeyViolation(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '23503'
}

async function* linesOf(rows: AsyncIterable<Order>): AsyncGenerator<string> {
  for await (const row of rows) yield `${JSON.stringify(row)}\n`
}
