// What the README imports.
import { relations } from 'drizzle-orm'
import { integer, pgTable, serial, text } from 'drizzle-orm/pg-core'

export const orders = pgTable('orders', { id: serial('id').primaryKey(), customer: text('customer').notNull() })

export const lines = pgTable('lines', {
  orderId: integer('order_id').notNull(),
  product: text('product').notNull(),
})

export const linesOfOrder = relations(orders, ({ many }) => ({ lines: many(lines) }))

export const orderOfLine = relations(lines, ({ one }) => ({
  order: one(orders, { fields: [lines.orderId], references: [orders.id] }),
}))
