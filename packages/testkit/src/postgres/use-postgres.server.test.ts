import { Client } from 'pg'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { usePostgres } from './use-postgres.js'

const postgres = usePostgres()
const other = usePostgres()
const whileCollecting = attempt(() => postgres.url)
let inHook = ''

beforeAll(() => {
  inHook = postgres.url
})

afterAll(async () => {
  // Fails without a database. Hooks run last first: what a file tears down in its own `afterAll` still has one.
  await currentDatabase(postgres.url)
})

function attempt(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return error
  }
}

async function currentDatabase(url: string): Promise<unknown> {
  const client = new Client(url)
  await client.connect()
  try {
    return (await client.query<{ name: string }>('select current_database() as name')).rows[0]?.name
  } finally {
    await client.end()
  }
}

test('each use has a database of its own on the one server of the run', async () => {
  const names = await Promise.all([postgres.url, other.url, inject('postgresUrl')].map(currentDatabase))
  expect(new Set(names).size).toBe(3)
  expect(new URL(postgres.url).host).toBe(new URL(inject('postgresUrl')).host)
})

test('hooks that stand below it have the same database as tests', () => {
  expect(inHook).toBe(postgres.url)
})

test('reading the url before there is a database is a clear error', () => {
  expect(String(whileCollecting)).toMatch(/only while hooks and tests run/)
})
