import type { Service } from '@leasehold/example-orders'
import type { LeasedPgPool } from '@leasehold/pg'
import { frameworks } from './frameworks.js'
import { orms } from './orms.js'

/** One framework with one ORM: a service of its own, on the pool of all. */
export interface Pair {
  /** `Fastify + Knex` */
  readonly name: string
  readonly framework: string
  readonly orm: string
  readonly service: Service
}

/** Starts a service for every pair. The scopes of each are named after it: `Fastify + Knex: GET /orders/:id`. */
export async function* startPairs(pool: LeasedPgPool): AsyncGenerator<Pair> {
  for (const [orm, openStore] of Object.entries(orms)) {
    // One Knex, one Drizzle, one Prisma: each serves three frameworks.
    const store = openStore(pool)
    for (const [framework, start] of Object.entries(frameworks)) {
      const name = `${framework} + ${orm}`
      const service = await start({ pool, store, closePool: false, withMistakes: true, labelPrefix: `${name}: ` })
      yield { name, framework, orm, service }
    }
  }
}
