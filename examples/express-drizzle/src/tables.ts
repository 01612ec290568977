import { integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core'

// What Drizzle has to know of the tables. They are made by ../../orders/src/schema.sql, as for the other examples.

export const accounts = pgTable('accounts', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  owner: text().notNull(),
  balanceCents: integer('balance_cents').notNull(),
})

export const orders = pgTable('orders', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  accountId: integer('account_id')
    .notNull()
    .references(() => accounts.id),
  item: text().notNull(),
  amountCents: integer('amount_cents').notNull(),
  orderedAt: timestamp('ordered_at', { withTimezone: true }).notNull().defaultNow(),
})

export const transfers = pgTable('transfers', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  payerId: integer('payer_id')
    .notNull()
    .references(() => accounts.id),
  payeeId: integer('payee_id')
    .notNull()
    .references(() => accounts.id),
  amountCents: integer('amount_cents').notNull(),
  madeAt: timestamp('made_at', { withTimezone: true }).notNull().defaultNow(),
})
