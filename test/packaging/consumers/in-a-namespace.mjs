import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { createNamespace } from 'cls-hooked'
import * as drizzleOrm from 'drizzle-orm'
import Fastify from 'fastify'
import nodePostgres from 'pg'
import * as cls from '@leasehold/cls-hooked'
import * as core from '@leasehold/core'
import * as drizzle from '@leasehold/drizzle'
import * as fastify from '@leasehold/fastify'
import * as knex from '@leasehold/knex'
import * as pg from '@leasehold/pg'
import oneRequest from './one-request.cjs'

const require = createRequire(import.meta.url)
const other = require('@leasehold/cls-hooked')
assert.notEqual(other.clsHookedCarrier, cls.clsHookedCarrier, 'these are meant to be two copies')

// Chosen through the one copy of core and made by the other of the carrier, it serves all.
const namespace = createNamespace('service')
core.useScopeCarrier(other.clsHookedCarrier(namespace))
await core.runInScope({ label: 'in the namespace' }, async (scope) => {
  assert.equal(require('@leasehold/core').currentScope(), scope)
  assert.notEqual(namespace.active, null)
})
await oneRequest({ core, pg, knex, drizzle, fastify, Fastify, nodePostgres, drizzleOrm })
