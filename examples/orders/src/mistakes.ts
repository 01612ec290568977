import { setTimeout as sleep } from 'node:timers/promises'
import type { LeasedPgPool } from '@leasehold/pg'
import type { Store } from './store.js'

/** What a mistake is made with. */
export interface Tools {
  readonly pool: LeasedPgPool
  readonly store: Store
}

/**
 * What goes wrong in services sooner or later. Each is the handler of `POST /mistakes/<name>`, a route that only the demo
 * and the tests have, to show that every connection comes back all the same, and that the pool names the line.
 */
export const mistakes = {
  async 'forget-to-release'({ pool }: Tools): Promise<unknown> {
    const client = await pool.connect()
    const { rows } = await client.query('select count(*)::int as orders from orders where account_id = 1')
    return rows[0] // and client.release()?
  },

  async 'forget-to-commit'({ pool }: Tools): Promise<unknown> {
    const client = await pool.connect()
    await client.query('begin')
    await client.query('update accounts set balance_cents = balance_cents + 100 where id = 1')
    return { done: true } // neither committed nor released
  },

  async 'hold-too-long'({ pool }: Tools): Promise<unknown> {
    const client = await pool.connect()
    try {
      const { rows } = await client.query('select owner from accounts where id = 1')
      await sleep(800) // a payment service is asked, and the connection waits for it
      return rows[0]
    } finally {
      client.release()
    }
  },

  async 'work-after-response'({ pool }: Tools): Promise<unknown> {
    async function noteOrder(): Promise<void> {
      await sleep(50) // by now the response has gone
      await pool.query(`insert into orders (account_id, item, amount_cents) values (1, 'noted too late', 1)`)
    }
    noteOrder().catch((error: unknown) => console.error(error))
    return { accepted: true }
  },

  async throw({ store }: Tools): Promise<unknown> {
    return store.transfer({ payerId: 1, payeeId: 2, amountCents: 1 }, () => {
      throw new TypeError("Cannot read properties of undefined (reading 'rate')")
    })
  },
} satisfies Record<string, (tools: Tools) => Promise<unknown>>
