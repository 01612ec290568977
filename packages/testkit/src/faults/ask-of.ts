import { Client } from 'pg'
import type { Stage } from './stage.js'

/** Asks a server past any proxy, with a connection for each statement: the server may have been down in between. */
export function askOf(server: { readonly url: string }): Stage['ask'] {
  return async (text, values) => {
    const client = new Client({ connectionString: server.url, options: '-c default_transaction_read_only=off' })
    client.on('error', () => {})
    await client.connect()
    try {
      return (await client.query(text, values && [...values])).rows as never
    } finally {
      await client.end()
    }
  }
}
