import { createDrizzle } from '@leasehold/drizzle'
import { only } from '@leasehold/example-orders'
import type { LeasedPgPool } from '@leasehold/pg'
import { eq, sql } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import type { Notes } from './notes.js'

const notes = pgTable('notes', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  tenantId: text('tenant_id')
    .notNull()
    .default(sql`current_setting('app.tenant_id')`),
  text: text().notNull(),
})

export function openDrizzleNotes(pool: LeasedPgPool): Notes {
  const db = createDrizzle(pool)
  return {
    all: async () => await db.select().from(notes).orderBy(notes.id),
    one: async (id) => (await db.select().from(notes).where(eq(notes.id, id)))[0],
    write: async (words) => only(await db.insert(notes).values({ text: words }).returning()),
  }
}
