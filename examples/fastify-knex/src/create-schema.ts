import { readFile } from 'node:fs/promises'
import type { Knex } from 'knex'

/** Creates the tables, where they do not exist yet. */
export async function createSchema(knex: Knex): Promise<void> {
  await knex.raw(await readFile(new URL('schema.sql', import.meta.url), 'utf8'))
}
