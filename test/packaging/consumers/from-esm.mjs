import * as drizzleOrm from 'drizzle-orm'
import Fastify from 'fastify'
import nodePostgres from 'pg'
import * as core from '@leasehold/core'
import * as drizzle from '@leasehold/drizzle'
import * as fastify from '@leasehold/fastify'
import * as knex from '@leasehold/knex'
import * as pg from '@leasehold/pg'
import oneRequest from './one-request.cjs'

await oneRequest({ core, pg, knex, drizzle, fastify, Fastify, nodePostgres, drizzleOrm })
