import { readFile } from 'node:fs/promises'
import { Client } from 'pg'

/** Creates the table and its policy, where they do not exist yet: on a connection of its own, as the login itself. */
export async function createNotes(connectionString: string): Promise<void> {
  const client = new Client({ connectionString })
  await client.connect()
  try {
    await client.query(await readFile(new URL('schema.sql', import.meta.url), 'utf8'))
  } finally {
    await client.end()
  }
}
