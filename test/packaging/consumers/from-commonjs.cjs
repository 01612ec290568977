'use strict'

const Fastify = require('fastify')
const nodePostgres = require('pg')
const core = require('@leasehold/core')
const fastify = require('@leasehold/fastify')
const knex = require('@leasehold/knex')
const pg = require('@leasehold/pg')
const oneRequest = require('./one-request.cjs')

oneRequest({ core, pg, knex, fastify, Fastify, nodePostgres }).catch((error) => {
  console.error(error)
  process.exitCode = 1
})
