import { Client } from 'pg'
import { afterAll, expect, inject, test } from 'vitest'
import { createDatabase } from './create-database.js'
import type { TestDatabase } from './test-database.js'

const server = { url: inject('postgresUrl') }
const databases: TestDatabase[] = []

afterAll(() => Promise.all(databases.map((database) => database.drop())))

async function create(options?: { readonly template: string }): Promise<TestDatabase> {
  const database = await createDatabase(server, options)
  databases.push(database)
  return database
}

async function connected<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(url)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

test('databases created at the same time are empty and apart', async () => {
  const [one, other] = await Promise.all([create(), create()])
  await connected(one.url, (client) => client.query('create table here (id int)'))
  await expect(connected(other.url, (client) => client.query('select * from here'))).rejects.toMatchObject({
    code: '42P01',
  })
})

test('a database can be a copy of another', async () => {
  const model = await create()
  await connected(model.url, (client) => client.query('create table orders as select 1 as id'))
  const copy = await create({ template: model.name })
  const { rows } = await connected(copy.url, (client) => client.query('select id from orders'))
  expect(rows).toEqual([{ id: 1 }])
})

test('a database is dropped with a forgotten session in it, and may be dropped again', async () => {
  const database = await create()
  const forgotten = new Client(database.url)
  const ended = new Promise((resolve) => forgotten.on('error', resolve)) // `once` is not enough: pg says it twice
  await forgotten.connect()
  await database.drop()
  await database.drop()
  expect(await ended).toMatchObject({ code: '57P01' })
  await expect(connected(database.url, async () => {})).rejects.toMatchObject({ code: '3D000' })
})
