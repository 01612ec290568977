import { openDrizzleStore } from '@leasehold/example-express-drizzle'
import { openKnexStore } from '@leasehold/example-fastify-knex'
import { openPrismaStore } from '@leasehold/example-nestjs-prisma'
import type { Store } from '@leasehold/example-orders'
import type { LeasedPgPool } from '@leasehold/pg'

const say = (): void => {}
// What goes wrong here goes wrong on purpose.
const quiet = { warn: say, error: say, debug: say, deprecate: say }

/** The store of the examples, with each ORM. */
export const orms: Readonly<Record<string, (pool: LeasedPgPool) => Store>> = {
  Knex: (pool) => openKnexStore(pool, quiet),
  Drizzle: openDrizzleStore,
  Prisma: openPrismaStore,
}
