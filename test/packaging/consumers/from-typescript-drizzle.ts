// Compiled, never run: what a service with Drizzle in strict TypeScript writes.

import { createDrizzle } from '@leasehold/drizzle'
import { createPgPool, type LeasedPgPool } from '@leasehold/pg'
import { relations } from 'drizzle-orm'
import { integer, pgTable, serial, text } from 'drizzle-orm/pg-core'

const authors = pgTable('authors', { id: serial('id').primaryKey(), name: text('name').notNull() })
const books = pgTable('books', { id: serial('id').primaryKey(), authorId: integer('author_id').notNull() })
const authorBooks = relations(authors, ({ many }) => ({ books: many(books) }))

const db = createDrizzle(createPgPool({ max: 5 }), { schema: { authors, books, authorBooks }, logger: true })

export const pool: LeasedPgPool = db.$client
export const rows: Promise<Array<{ name: string }>> = db.transaction((tx) =>
  tx.select({ name: authors.name }).from(authors),
)
export const related: PromiseLike<Array<{ books: Array<{ authorId: number }> }>> = db.query.authors.findMany({
  with: { books: true },
})
// @ts-expect-error -- a name is no number
export const wrong: Promise<Array<{ name: number }>> = db.transaction((tx) => tx.select().from(authors))
