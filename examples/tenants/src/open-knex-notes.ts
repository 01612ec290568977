import { only } from '@leasehold/example-orders'
import { createKnex } from '@leasehold/knex'
import type { LeasedPgPool } from '@leasehold/pg'
import type { Note, Notes } from './notes.js'

const COLUMNS = { id: 'id', tenantId: 'tenant_id', text: 'text' }

export function openKnexNotes(pool: LeasedPgPool): Notes {
  const knex = createKnex(pool)
  return {
    all: () => knex('notes').select<Note[]>(COLUMNS).orderBy('id'),
    one: async (id) => await knex('notes').select(COLUMNS).where({ id }).first<Note | undefined>(),
    write: async (text) =>
      only(await knex('notes').insert({ text }).returning<Note[]>(['id', 'tenant_id as tenantId', 'text'])),
  }
}
