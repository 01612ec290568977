import type { JSONSchemaType } from 'ajv'

export interface NewAccount {
  readonly owner: string
  readonly balanceCents: number
}

export interface NewOrder {
  readonly accountId: number
  readonly item: string
  readonly amountCents: number
}

export interface NewTransfer {
  readonly payerId: number
  readonly payeeId: number
  readonly amountCents: number
}

export interface ById {
  readonly id: number
}

// PostgreSQL's `integer` ends where these do.
const id = { type: 'integer', minimum: 1, maximum: 2_147_483_647 } as const
const cents = { type: 'integer', minimum: 0, maximum: 2_147_483_647 } as const
const someCents = { ...cents, minimum: 1 } as const
const someText = { type: 'string', minLength: 1, maxLength: 200 } as const

const account: JSONSchemaType<NewAccount> = {
  type: 'object',
  required: ['owner'],
  additionalProperties: false,
  properties: { owner: someText, balanceCents: { ...cents, default: 0 } },
}

const order: JSONSchemaType<NewOrder> = {
  type: 'object',
  required: ['accountId', 'item', 'amountCents'],
  additionalProperties: false,
  properties: { accountId: id, item: someText, amountCents: someCents },
}

const transfer: JSONSchemaType<NewTransfer> = {
  type: 'object',
  required: ['payerId', 'payeeId', 'amountCents'],
  additionalProperties: false,
  properties: { payerId: id, payeeId: id, amountCents: someCents },
}

const byId: JSONSchemaType<ById> = { type: 'object', required: ['id'], properties: { id } }

/** What clients may send: Fastify takes these schemas as they are, the others ask `checked`. */
export const input = { account, order, transfer, byId }
