import { Client } from 'pg'
import { afterAll, beforeAll } from 'vitest'

/**
 * Gives the test file that calls it below `usePostgres()` a connection of its own, beside the pools that are tested. What it
 * is given runs first: tables, mostly.
 */
export function useClient(database: { readonly url: string }, ...statements: readonly string[]): Pick<Client, 'query'> {
  let client: Client | undefined
  beforeAll(async () => {
    client = new Client(database.url)
    await client.connect()
    for (const statement of statements) await client.query(statement)
  })
  afterAll(() => client?.end())
  return {
    get query() {
      if (client === undefined) throw new Error('useClient(): there is a client only while hooks and tests run')
      return client.query.bind(client)
    },
  }
}
