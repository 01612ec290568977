'use strict'
// One request on a real server through whichever copies of the packages the caller has loaded.

const assert = require('node:assert/strict')

module.exports = async function oneRequest({ core, pg, knex, drizzle, fastify, Fastify, nodePostgres, drizzleOrm }) {
  const pool = pg.createPgPool({ connectionString: process.env.DATABASE_URL, max: 2 })
  assert.ok(pool instanceof nodePostgres.Pool)
  assert.ok(pool instanceof pg.LeasedPgPool)
  assert.equal(fastify.default, fastify.leasehold)

  const database = knex.createKnex(pool)
  const db = drizzle.createDrizzle(pool)
  const app = Fastify()
  await app.register(fastify.leasehold, { pool })
  app.get('/answer', async () => {
    const { rows } = await database.raw('select 42 as answer')
    const { rows: same } = await db.transaction((tx) =>
      tx.execute(drizzleOrm.sql`select ${rows[0].answer}::int as answer`),
    )
    return { label: core.currentScope()?.label, answer: same[0].answer, held: pool.totalCount }
  })
  const reply = await app.inject('/answer')
  assert.deepEqual(reply.json(), { label: 'GET /answer', answer: 42, held: 1 })

  await database.destroy()
  await app.close()
  assert.equal(pool.totalCount, 0)
  const refusal = await pool.connect().catch((error) => error)
  assert.ok(core.isLeaseholdError(refusal), String(refusal))
  assert.ok(refusal instanceof core.LeaseholdError, String(refusal))
  assert.equal(refusal.code, 'LEASEHOLD_POOL_CLOSED')
}
