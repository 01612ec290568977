import { describeNpmStart, describeService } from '@leasehold/example-orders/testing'
import type { LeasedPgPool } from '@leasehold/pg'
import { openKnexStore } from './open-knex-store.js'
import { startOnFastify } from './start-on-fastify.js'

const say = (): void => {}
const quiet = { warn: say, error: say, debug: say, deprecate: say }

describeService('orders on Fastify and Knex', {
  start: startOnFastify,
  openStore: (pool: LeasedPgPool) => openKnexStore(pool, quiet),
})

describeNpmStart(new URL('..', import.meta.url))
