import type { LeasedPgPool } from '@leasehold/pg'
import { eq, relations } from 'drizzle-orm'
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import { integer, pgTable, serial, text } from 'drizzle-orm/pg-core'
import { Pool } from 'pg'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { createDrizzle } from './index.js'

const users = pgTable('users', { id: serial('id').primaryKey(), name: text('name').notNull() })
const posts = pgTable('posts', { id: serial('id').primaryKey(), userId: integer('user_id'), title: text('title') })
const userPosts = relations(users, ({ many }) => ({ posts: many(posts) }))
const postUser = relations(posts, ({ one }) => ({
  user: one(users, { fields: [posts.userId], references: [users.id] }),
}))
const schema = { users, posts, userPosts, postUser }

declare const pool: LeasedPgPool

// What is wrong here is found by `tsc`: these functions are there to be typed, and never run.
const typed = {
  ours: () => createDrizzle(pool),
  theirs: () => drizzle(pool),
  oursWithSchema: () => createDrizzle(pool, { schema, logger: true, casing: 'snake_case' }),
  theirsWithSchema: () => drizzle(pool, { schema, logger: true, casing: 'snake_case' }),
  oursByArgument: () => createDrizzle<typeof schema>(pool, { schema }),
}

describe('with Drizzle 0.45', () => {
  test('the database is of the type that drizzle() gives', () => {
    expectTypeOf(typed.ours).toEqualTypeOf(typed.theirs)
    expectTypeOf(typed.oursWithSchema).toEqualTypeOf(typed.theirsWithSchema)
    expectTypeOf(typed.oursByArgument).toEqualTypeOf(typed.theirsWithSchema)
    expectTypeOf<ReturnType<typeof typed.ours>['$client']>().toEqualTypeOf<LeasedPgPool>()
    expectTypeOf<ReturnType<typeof typed.oursWithSchema>>().toExtend<NodePgDatabase<typeof schema>>()
  })

  test('rows, relational queries, prepared statements and transactions are inferred', () => {
    const infer = async () => {
      const db = typed.oursWithSchema()
      const byId = db.select().from(users).where(eq(users.id, 1)).prepare('by_id')
      return {
        selected: await db.select({ name: users.name }).from(users),
        related: await db.query.users.findMany({ with: { posts: true } }),
        prepared: await byId.execute(),
        transacted: await db.transaction((tx) => tx.query.users.findFirst({ columns: { id: true } })),
      }
    }
    type Post = { id: number; userId: number | null; title: string | null }
    expectTypeOf(infer).returns.resolves.toEqualTypeOf<{
      selected: Array<{ name: string }>
      related: Array<{ id: number; name: string; posts: Post[] }>
      prepared: Array<{ id: number; name: string }>
      transacted: { id: number } | undefined
    }>()
  })

  test('another pool, a connection and what Drizzle does not know are refused', () => {
    const refused = () => [
      // @ts-expect-error -- a pg.Pool that is none of ours
      createDrizzle(new Pool()),
      // @ts-expect-error -- no pool at all
      createDrizzle('postgres://host/db'),
      // @ts-expect-error -- the pool knows where to connect
      createDrizzle(pool, { connection: 'postgres://host/db' }),
      // @ts-expect-error -- the pool is the client
      createDrizzle(pool, { client: pool }),
      // @ts-expect-error -- a typing error
      createDrizzle(pool, { shema: schema }),
      // @ts-expect-error -- no such table
      typed.oursWithSchema().query.authors,
      // @ts-expect-error -- no schema, so no relational queries
      typed.ours().query.users,
    ]
    expectTypeOf(refused).toBeFunction()
  })
})

test('with Drizzle 1.0 the same declarations give its types', () => {
  const folder = fileURLToPath(new URL('../types-of-1.0/', import.meta.url))
  const { config } = ts.readConfigFile(`${folder}tsconfig.json`, (file) => ts.sys.readFile(file)) as { config: object }
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, folder)
  expect(fileNames).toHaveLength(1)
  const faults = ts.getPreEmitDiagnostics(ts.createProgram(fileNames, options))
  expect(faults.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))).toEqual([])
})
