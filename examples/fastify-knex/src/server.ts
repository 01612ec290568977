import { runService } from '@leasehold/example-orders'
import { openKnexStore } from './open-knex-store.js'
import { startOnFastify } from './start-on-fastify.js'

await runService(startOnFastify, openKnexStore)
