import Fastify from 'fastify'
import nodePostgres from 'pg'
import * as core from '@leasehold/core'
import * as fastify from '@leasehold/fastify'
import * as knex from '@leasehold/knex'
import * as pg from '@leasehold/pg'
import oneRequest from './one-request.cjs'

await oneRequest({ core, pg, knex, fastify, Fastify, nodePostgres })
