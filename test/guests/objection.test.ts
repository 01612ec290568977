import { runInScope } from '@leasehold/core'
import { createKnex } from '@leasehold/knex'
import { Model, UniqueViolationError } from 'objection'
import { expect, test } from 'vitest'
import { useGuestPool } from './use-guest-pool.js'

const guests = useGuestPool(`
  create table authors (id serial primary key, name text not null unique);
  create table books (id serial primary key, author_id int not null references authors, title text not null)`)

class Book extends Model {
  static override readonly tableName = 'books'
  declare id: number
  declare title: string
}

class Author extends Model {
  static override readonly tableName = 'authors'
  static override readonly relationMappings = {
    books: { relation: Model.HasManyRelation, modelClass: Book, join: { from: 'authors.id', to: 'books.author_id' } },
  }
  declare id: number
  declare name: string
  declare books?: Book[]
}

test('Objection reads and writes graphs through the pool, in the scope that asks', async () => {
  const pool = guests.open()
  const db = createKnex(pool)
  const labels = new Set<string>()
  pool.leases.on('release', ({ label }) => labels.add(label))

  const authors = await runInScope({ label: 'GET /authors' }, async () => {
    await Author.query(db).insertGraph({ name: 'Ursula', books: [{ title: 'The Dispossessed' }] })
    return Author.query(db).withGraphFetched('books').where({ name: 'Ursula' })
  })

  expect(authors).toMatchObject([{ name: 'Ursula', books: [{ title: 'The Dispossessed' }] }])
  expect(labels).toEqual(new Set(['GET /authors']))
})

test('a transaction of Objection is committed, or rolled back with all of its graph', async () => {
  const pool = guests.open()
  const db = createKnex(pool)

  await Author.transaction(db, async (trx) => Author.query(trx).insert({ name: 'Octavia' }))
  const rolledBack = Author.transaction(db, async (trx) => {
    await Author.query(trx).insertGraph({ name: 'Nobody', books: [{ title: 'Nothing' }] })
    throw new Error('of the callback')
  })

  await expect(rolledBack).rejects.toThrow('of the callback')
  expect(await guests.ask("select name from authors where name in ('Octavia', 'Nobody')")).toEqual([
    { name: 'Octavia' },
  ])
  expect(pool.snapshot().counts.reset['open transaction']).toBe(0)
})

test('Objection knows the errors of the database, and they keep the connection', async () => {
  const pool = guests.open({ max: 1 })
  const db = createKnex(pool)
  await Author.query(db).insert({ name: 'Italo' })

  await expect(Author.query(db).insert({ name: 'Italo' })).rejects.toBeInstanceOf(UniqueViolationError)

  expect(await Author.query(db).where({ name: 'Italo' }).resultSize()).toBe(1)
  expect(pool.snapshot().counts.opened).toBe(1)
})

test('a transaction of Objection that its request leaves open is rolled back with it', async () => {
  const pool = guests.open({ max: 1 })
  const db = createKnex(pool)

  await runInScope({ label: 'a request' }, async () => {
    const trx = await Author.startTransaction(db)
    await Author.query(trx).insert({ name: 'forgotten' })
  })

  expect(await Author.query(db).where({ name: 'forgotten' })).toEqual([])
  expect(pool.snapshot().counts.leaks['left-over']).toBe(1)
})
