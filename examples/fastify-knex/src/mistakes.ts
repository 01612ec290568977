import { setTimeout as sleep } from 'node:timers/promises'
import type { LeasedPgPool } from '@leasehold/pg'
import type { FastifyPluginAsync } from 'fastify'
import type { Knex } from 'knex'

/**
 * What goes wrong in services sooner or later, a route for each mistake. They are wrong on purpose: only the demo and the
 * tests register them, to show that every connection comes back all the same, and that the pool names the line.
 */
export const mistakes: FastifyPluginAsync<{ readonly knex: Knex; readonly pool: LeasedPgPool }> = async (
  app,
  { knex, pool },
) => {
  app.post('/mistakes/forget-to-release', async function forgetToRelease() {
    const client = await pool.connect()
    const { rows } = await client.query('select count(*)::int as orders from orders where account_id = 1')
    return rows[0] // and client.release()?
  })

  app.post('/mistakes/forget-to-commit', async function forgetToCommit() {
    const client = await pool.connect()
    await client.query('begin')
    await client.query('update accounts set balance_cents = balance_cents + 100 where id = 1')
    return { done: true } // neither committed nor released
  })

  app.post('/mistakes/hold-too-long', async function holdTooLong() {
    const client = await pool.connect()
    try {
      const { rows } = await client.query('select owner from accounts where id = 1')
      await sleep(800) // a payment service is asked, and the connection waits for it
      return rows[0]
    } finally {
      client.release()
    }
  })

  app.post('/mistakes/work-after-response', async function workAfterResponse(_request, reply) {
    async function noteOrder(): Promise<void> {
      await sleep(50) // by now the response has gone
      await pool.query(`insert into orders (account_id, item, amount_cents) values (1, 'noted too late', 1)`)
    }
    noteOrder().catch((error: unknown) => app.log.error(error))
    return reply.code(202).send({ accepted: true })
  })

  app.post('/mistakes/throw', function throwInTransaction() {
    return knex.transaction(async (transaction) => {
      await transaction('accounts').where({ id: 1 }).increment('balance_cents', 1_000_000)
      throw new TypeError("Cannot read properties of undefined (reading 'rate')")
    })
  })
}
