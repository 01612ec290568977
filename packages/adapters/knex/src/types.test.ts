import type { LeasedPgPool } from '@leasehold/pg'
import { knex, type Knex } from 'knex'
import { Pool } from 'pg'
import { describe, expectTypeOf, it } from 'vitest'
import { createKnex } from './index.js'

interface Order {
  readonly id: number
  readonly note: string | null
}

declare const pool: LeasedPgPool

// What is wrong here is found by `tsc`: these functions are there to be typed, and never run.
describe('in TypeScript', () => {
  it('createKnex gives the very type that knex gives, with and without types of its own', () => {
    const ours = () => createKnex(pool, { searchPath: 'app' })
    const theirs = () => knex({ client: 'pg', searchPath: 'app' })
    expectTypeOf(ours).toEqualTypeOf(theirs)
    const oursOf = () => createKnex<Order, Order[]>(pool)
    const theirsOf = () => knex<Order, Order[]>({ client: 'pg' })
    expectTypeOf(oursOf).toEqualTypeOf(theirsOf)
    expectTypeOf(oursOf).returns.toEqualTypeOf<Knex<Order, Order[]>>()
  })

  it('rows, single rows, columns and transactions are inferred', () => {
    const infer = async () => {
      const db = createKnex(pool)
      return {
        rows: await db<Order>('orders').where({ id: 7 }),
        row: await db<Order>('orders').where('id', 7).first(),
        columns: await db<Order>('orders').select('note'),
        inserted: await db<Order>('orders').insert({ note: 'new' }).returning('id'),
        transacted: await db.transaction(async (trx) => (await trx<Order>('orders')).length),
      }
    }
    expectTypeOf(infer).returns.resolves.toEqualTypeOf<{
      rows: Order[]
      row: Order | undefined
      columns: Array<Pick<Order, 'note'>>
      inserted: Array<Pick<Order, 'id'>>
      transacted: number
    }>()
  })

  it('another pool and what Knex does not know are refused', () => {
    const refused = () => [
      // @ts-expect-error -- a pg.Pool that is none of ours
      createKnex(new Pool()),
      // @ts-expect-error -- no pool at all
      createKnex('postgres://host/db'),
      // @ts-expect-error -- a typing error
      createKnex(pool, { serchPath: 'app' }),
      // @ts-expect-error -- no such column
      createKnex(pool)<Order>('orders').where({ ide: 7 }).first('ide'),
    ]
    expectTypeOf(refused).toBeFunction()
  })
})
