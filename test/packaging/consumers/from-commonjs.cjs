'use strict'

const drizzleOrm = require('drizzle-orm')
const Fastify = require('fastify')
const nodePostgres = require('pg')
const core = require('@leasehold/core')
const drizzle = require('@leasehold/drizzle')
const fastify = require('@leasehold/fastify')
const knex = require('@leasehold/knex')
const pg = require('@leasehold/pg')
const oneRequest = require('./one-request.cjs')

oneRequest({ core, pg, knex, drizzle, fastify, Fastify, nodePostgres, drizzleOrm }).catch((error) => {
  console.error(error)
  process.exitCode = 1
})
