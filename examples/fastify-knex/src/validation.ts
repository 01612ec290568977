/** The schemas that several routes share. PostgreSQL's `integer` ends where these do. */
export const id = { type: 'integer', minimum: 1, maximum: 2_147_483_647 } as const
export const cents = { type: 'integer', minimum: 0, maximum: 2_147_483_647 } as const
export const someCents = { ...cents, minimum: 1 } as const

export const byId = { type: 'object', required: ['id'], properties: { id } } as const
export interface ById {
  Params: { readonly id: number }
}
