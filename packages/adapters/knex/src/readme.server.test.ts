import { readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { LeasedPgPool } from '@leasehold/pg'
import { usePostgres } from '@leasehold/testkit/postgres'
import { Client } from 'pg'
import { expect, test, vi } from 'vitest'

const database = usePostgres()

const TABLES = `
  create schema app;
  create table app.orders (id serial primary key, customer text not null);
  create table app.lines (order_id int not null references app.orders, product text not null);
`

test('the lines that a new user types, as they stand in the README, do what they say', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const [, lines] = /```ts\n([^]*?)```/.exec(readme) ?? []
  expect(lines).toContain('createKnex(pool')
  const client = new Client(database.url)
  await client.connect()
  await client.query(TABLES)
  const file = fileURLToPath(new URL(`readme-${process.pid}.ts`, import.meta.url))
  await writeFile(file, `${String(lines)}\nexport { pool }\n`)
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  process.env['DATABASE_URL'] = database.url
  try {
    const { pool } = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as { readonly pool: LeasedPgPool }
    expect(log.mock.calls).toEqual([[1]])
    expect(pool.snapshot()).toMatchObject({ state: 'closed', connections: { total: 0 } })
    expect((await client.query('select * from app.lines')).rows).toEqual([{ order_id: 1, product: 'engine' }])
  } finally {
    delete process.env['DATABASE_URL']
    log.mockRestore()
    await rm(file)
    await client.end()
  }
})
