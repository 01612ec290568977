import { createPool, currentScope, isLeaseholdError, runInScope } from '@leasehold/core'
import leasehold from '@leasehold/fastify'
import { createKnex } from '@leasehold/knex'
import { LeasedPgPool, createPgPool } from '@leasehold/pg'
import Fastify from 'fastify'
import * as nodePostgres from 'pg'

test('a request under Jest', async () => {
  const pool = createPgPool({ connectionString: process.env['DATABASE_URL'] })
  expect(pool).toBeInstanceOf(nodePostgres.Pool)
  expect(pool).toBeInstanceOf(LeasedPgPool)
  const knex = createKnex(pool)
  const app = Fastify()
  await app.register(leasehold, { pool })
  app.get('/label', async (request) => {
    await knex.raw('select 1')
    return [currentScope()?.label, request.leasehold.signal.aborted]
  })
  const reply = await app.inject('/label')
  expect(reply.json()).toEqual(['GET /label', false])
  await app.close()
  expect(await pool.connect().catch(isLeaseholdError)).toBe(true)
})

test('scopes under Jest', async () => {
  expect(typeof createPool).toBe('function')
  expect(await runInScope({ label: 'job' }, async () => currentScope()?.label)).toBe('job')
})
