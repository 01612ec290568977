import { randomBytes } from 'node:crypto'
import { Client, escapeIdentifier } from 'pg'
import type { TestDatabase } from './test-database.js'

/** Creates an empty database on the server, or a copy of the database `template`, to which nobody may be connected. */
export async function createDatabase(
  server: { readonly url: string },
  options: { readonly template?: string } = {},
): Promise<TestDatabase> {
  const name = `leasehold_${randomBytes(8).toString('hex')}`
  const template = escapeIdentifier(options.template ?? 'template0')
  await run(server.url, `CREATE DATABASE ${name} TEMPLATE ${template}`)
  const url = new URL(server.url)
  url.pathname = `/${name}`
  return { url: url.href, name, drop: () => run(server.url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) }
}

async function run(url: string, statement: string): Promise<void> {
  const client = new Client(url)
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
