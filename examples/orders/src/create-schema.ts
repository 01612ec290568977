import { readFile } from 'node:fs/promises'

/**
 * Creates the tables, where they do not exist yet.
 *
 * @param database a pool, or one connection.
 */
export async function createSchema(database: { query(text: string): Promise<unknown> }): Promise<void> {
  await database.query(await readFile(new URL('schema.sql', import.meta.url), 'utf8'))
}
