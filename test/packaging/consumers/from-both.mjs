import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import * as drizzleOrm from 'drizzle-orm'
import Fastify from 'fastify'
import nodePostgres from 'pg'
import * as core from '@leasehold/core'
import * as drizzle from '@leasehold/drizzle'
import * as fastify from '@leasehold/fastify'
import * as knex from '@leasehold/knex'
import * as pg from '@leasehold/pg'
import oneRequest from './one-request.cjs'

const require = createRequire(import.meta.url)
const other = {
  core: require('@leasehold/core'),
  drizzle: require('@leasehold/drizzle'),
  knex: require('@leasehold/knex'),
  pg: require('@leasehold/pg'),
}
assert.notEqual(other.core.createPool, core.createPool, 'these are meant to be two copies')

// A scope is one scope, whichever copy opened it and whichever asks.
await core.runInScope({ label: 'opened by ESM' }, async () => {
  const scope = core.currentScope()
  assert.equal(other.core.currentScope(), scope)
  await other.core.detached(() => {
    assert.notEqual(core.currentScope(), scope)
    assert.equal(core.currentScope(), other.core.currentScope())
  })
})
await other.core.runInScope({ label: 'opened by CommonJS' }, () => {
  assert.equal(core.currentScope()?.label, 'opened by CommonJS')
})

// A lease taken through one copy belongs to the scope that the other opened, and is back when that scope has closed.
const pool = other.pg.createPgPool({ connectionString: process.env.DATABASE_URL })
await core.runInScope({ label: 'leaves a client behind' }, async () => {
  await pool.connect()
  assert.deepEqual(
    pool.leases.snapshot().holders.map(({ label }) => label),
    ['leaves a client behind'],
  )
})
assert.deepEqual(pool.leases.snapshot().holders, [])
await pool.end()

// And both kinds of mixture serve a request.
const { core: otherCore, drizzle: otherDrizzle, knex: otherKnex, pg: otherPg } = other
const same = { fastify, Fastify, nodePostgres, drizzleOrm }
await oneRequest({ ...same, core, pg: otherPg, knex, drizzle })
await oneRequest({ ...same, core: otherCore, pg, knex: otherKnex, drizzle: otherDrizzle })
