import * as orm from 'drizzle-orm'
import * as orm1 from 'drizzle-orm-1.0'
import { drizzle as drizzle1, type NodePgDatabase } from 'drizzle-orm-1.0/node-postgres'
import { migrate as migrate1 } from 'drizzle-orm-1.0/node-postgres/migrator'
import * as core1 from 'drizzle-orm-1.0/pg-core'
import { npmVersion as version1 } from 'drizzle-orm-1.0/version'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate } from 'drizzle-orm/node-postgres/migrator'
import * as core from 'drizzle-orm/pg-core'
import { npmVersion } from 'drizzle-orm/version'
import type { DrizzleLibrary } from '../drizzle-on-leases.js'

const authors = core.pgTable('authors', { id: core.serial('id').primaryKey(), name: core.text('name').notNull() })
const books = core.pgTable('books', {
  id: core.serial('id').primaryKey(),
  title: core.text('title').notNull(),
  authorId: core.integer('author_id').notNull(),
})
const schema = {
  authors,
  books,
  authorBooks: orm.relations(authors, ({ many }) => ({ books: many(books) })),
  bookAuthor: orm.relations(books, ({ one }) => ({
    author: one(authors, { fields: [books.authorId], references: [authors.id] }),
  })),
}

const authors1 = core1.pgTable('authors', { id: core1.serial('id').primaryKey(), name: core1.text('name').notNull() })
const books1 = core1.pgTable('books', {
  id: core1.serial('id').primaryKey(),
  title: core1.text('title').notNull(),
  authorId: core1.integer('author_id').notNull(),
})
const relations1 = orm1.defineRelations({ authors: authors1, books: books1 }, (of) => ({
  authors: { books: of.many.books({ from: of.authors.id, to: of.books.authorId }) },
}))

/** The tables that the tests use. */
export const TABLES = `create table authors (id serial primary key, name text not null);
  create table books (id serial primary key, title text not null, author_id integer not null)`

/** One of the versions that are supported, with the types of 0.45: what the tests use is the same in both. */
export interface SupportedDrizzle {
  readonly name: '0.45' | '1.0'
  readonly library: DrizzleLibrary
  readonly sql: typeof orm.sql
  readonly eq: typeof orm.eq
  readonly authors: typeof authors
  readonly books: typeof books
  readonly withReplicas: typeof core.withReplicas
  readonly migrate: typeof migrate
  /** What relational queries need. */
  readonly config: { readonly schema: typeof schema }
}

export const SUPPORTED_DRIZZLES: readonly SupportedDrizzle[] = [
  {
    name: '0.45',
    library: { drizzle, npmVersion },
    sql: orm.sql,
    eq: orm.eq,
    authors,
    books,
    withReplicas: core.withReplicas,
    migrate,
    config: { schema },
  },
  {
    name: '1.0',
    library: { drizzle: drizzle1 as DrizzleLibrary['drizzle'], npmVersion: version1 },
    sql: orm1.sql,
    eq: orm1.eq,
    authors: authors1,
    books: books1,
    withReplicas: core1.withReplicas,
    migrate: (db: NodePgDatabase, config: { migrationsFolder: string }) => migrate1(db, config),
    config: { relations: relations1 },
  } as unknown as SupportedDrizzle,
]
