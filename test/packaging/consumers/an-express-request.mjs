// One request through two copies of the binding, which find each other's scope, and its end in an orderly close.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import express from 'express'
import * as core from '@leasehold/core'
import * as binding from '@leasehold/express'
import * as pg from '@leasehold/pg'

const other = createRequire(import.meta.url)('@leasehold/express')
assert.equal(other.default, other.leasehold)
assert.notEqual(other.leasehold, binding.default, 'these are meant to be two copies')

const pool = pg.createPgPool({ connectionString: process.env.DATABASE_URL, max: 2 })
const leases = binding.leasehold({ pool })
const app = express()
app.use(leases)
app.get('/answer', other.leasehold.route({ mode: 'session' }), async (req, res) => {
  const { rows } = await pool.query('select 42 as answer')
  const { label, mode } = req.leasehold.scope
  res.json({ label, mode, answer: rows[0].answer, current: core.currentScope() === req.leasehold.scope })
})
app.use(other.leaseholdErrors())
const server = app.listen(0)
await once(server, 'listening')
const reply = await fetch(`http://localhost:${server.address().port}/answer`)
assert.deepEqual(await reply.json(), { label: 'GET /answer', mode: 'session', answer: 42, current: true })

await leases.close(server)
assert.equal(pool.totalCount, 0)
