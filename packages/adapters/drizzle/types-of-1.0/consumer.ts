// Compiled by a test, as if Drizzle 1.0 were what is installed, and never run: what is wrong here is found by `tsc`.
import { createDrizzle } from '@leasehold/drizzle'
import type { LeasedPgPool } from '@leasehold/pg'
import { defineRelations, eq } from 'drizzle-orm'
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import { integer, pgTable, serial, text } from 'drizzle-orm/pg-core'
import { Pool } from 'pg'
import { expectTypeOf } from 'vitest'

const users = pgTable('users', { id: serial('id').primaryKey(), name: text('name').notNull() })
const posts = pgTable('posts', { id: serial('id').primaryKey(), userId: integer('user_id'), title: text('title') })
const relations = defineRelations({ users, posts }, (of) => ({
  users: { posts: of.many.posts({ from: of.users.id, to: of.posts.userId }) },
}))

declare const pool: LeasedPgPool

const typed = {
  ours: () => createDrizzle(pool),
  theirs: () => drizzle({ client: pool }),
  oursWithRelations: () => createDrizzle(pool, { relations, logger: true, jit: true }),
  theirsWithRelations: () => drizzle({ client: pool, relations, logger: true, jit: true }),
  oursByArgument: () => createDrizzle<typeof relations>(pool, { relations }),
}

expectTypeOf(typed.ours).toEqualTypeOf(typed.theirs)
expectTypeOf(typed.oursWithRelations).toEqualTypeOf(typed.theirsWithRelations)
expectTypeOf(typed.oursByArgument).toEqualTypeOf(typed.theirsWithRelations)
expectTypeOf<ReturnType<typeof typed.ours>['$client']>().toEqualTypeOf<LeasedPgPool>()
expectTypeOf<ReturnType<typeof typed.oursWithRelations>>().toExtend<NodePgDatabase<typeof relations>>()

const infer = async () => {
  const db = typed.oursWithRelations()
  const byId = db.select().from(users).where(eq(users.id, 1)).prepare('by_id')
  return {
    selected: await db.select({ name: users.name }).from(users),
    related: await db.query.users.findMany({ where: { id: 1 }, with: { posts: true } }),
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

export const refused = () => [
  // @ts-expect-error -- a pg.Pool that is none of ours
  createDrizzle(new Pool()),
  // @ts-expect-error -- no pool at all
  createDrizzle('postgres://host/db'),
  // @ts-expect-error -- the pool knows where to connect
  createDrizzle(pool, { connection: 'postgres://host/db' }),
  // @ts-expect-error -- gone with 0.45
  createDrizzle(pool, { schema: { users } }),
  // @ts-expect-error -- no such table
  typed.oursWithRelations().query.authors,
  // @ts-expect-error -- no relations, so no relational queries
  typed.ours().query.users,
]
