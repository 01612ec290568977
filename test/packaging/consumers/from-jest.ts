import { createPool, currentScope, isLeaseholdError, runInScope } from '@leasehold/core'
import { expectNoLeaks } from '@leasehold/core/testing'
import leasehold from '@leasehold/fastify'
import { createKnex } from '@leasehold/knex'
import { LeasedPgPool, createPgPool } from '@leasehold/pg'
import { fastify } from 'fastify'
import { Pool } from 'pg'

test('a request under Jest', async () => {
  const pool = createPgPool({ connectionString: process.env['DATABASE_URL'] })
  expect(pool).toBeInstanceOf(Pool)
  expect(pool).toBeInstanceOf(LeasedPgPool)
  const knex = createKnex(pool)
  const app = fastify()
  await app.register(leasehold, { pool })
  app.get('/label', async (request) => {
    await knex.raw('select 1')
    return [currentScope()?.label, request.leasehold.signal.aborted]
  })
  // Not `inject`: Fastify's own needs an ESM-only package, which Jest cannot load before Node 24.9.
  const reply = await fetch(`${await app.listen()}/label`)
  expect(await reply.json()).toEqual(['GET /label', false])
  await app.close()
  expect(await pool.connect().catch(isLeaseholdError)).toBe(true)
})

test('scopes under Jest', async () => {
  expect(typeof createPool).toBe('function')
  expect(await runInScope({ label: 'job' }, async () => currentScope()?.label)).toBe('job')
})

test('leaks under Jest', async () => {
  const pool = createPgPool({ connectionString: process.env['DATABASE_URL'] })
  const client = await pool.connect()
  await expect(expectNoLeaks(pool, { withinMs: 0 })).rejects.toThrow('still held: outside any scope')
  client.release()
  await expectNoLeaks(pool)
  await pool.end()
})
