import { leasehold } from '@leasehold/fastify'
import { createKnex } from '@leasehold/knex'
import type { LeasedPgPool } from '@leasehold/pg'
import fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { Knex } from 'knex'
import { accounts } from './accounts.js'
import { answerError } from './answer-error.js'
import { mistakes } from './mistakes.js'
import { orders } from './orders.js'
import { transfers } from './transfers.js'

export interface AppOptions {
  /** Closed together with the app. */
  readonly pool: LeasedPgPool
  readonly logger?: FastifyServerOptions['logger']
  /** Whether the routes of mistakes.ts exist. Default false. */
  readonly withMistakes?: boolean
}

/** The service, not yet listening; and its Knex, for what is done besides requests. */
export async function buildApp({
  pool,
  logger = false,
  withMistakes = false,
}: AppOptions): Promise<{ readonly app: FastifyInstance; readonly knex: Knex }> {
  const app = fastify({ logger })
  const knex = createKnex(pool, { log: loggingTo(app.log) })
  app.setErrorHandler(answerError)

  // From here on each request has a scope: whatever it borrows of the pool is back when its response has closed.
  await app.register(leasehold, { pool })

  app.get('/health', () => ({ status: 'ok' }))
  await app.register(accounts, { knex })
  await app.register(orders, { knex })
  await app.register(transfers, { knex })
  if (withMistakes) await app.register(mistakes, { knex, pool })
  return { app, knex }
}

/** What Knex has to say goes where everything else is said. */
function loggingTo(log: FastifyBaseLogger): Knex.Logger {
  return {
    error: (said) => log.error(said),
    warn: (said) => log.warn(said),
    debug: (said) => log.debug(said),
    deprecate: (method, instead) => log.warn(`Knex: ${method} is deprecated, use ${instead}`),
  }
}
