// One ORM on one kind of pool, in a process of its own: `node queries.js <ORM> <pooling>`, with the database in
// DATABASE_URL. Told by its parent how many queries to run, and by how many callers.
import { answerQueries } from './answer-queries.js'
import { openDrizzle } from './open-drizzle.js'
import { openKnex } from './open-knex.js'
import { openPrisma } from './open-prisma.js'
import type { OpenOrm, OrmName, Pooling } from './orm.js'

const OPEN: Readonly<Record<OrmName, OpenOrm>> = { Knex: openKnex, Drizzle: openDrizzle, Prisma: openPrisma }
const ORDERS = 1_000

const [name, pooling] = process.argv.slice(2) as [OrmName, Pooling]
const orm = await OPEN[name](pooling, process.env['DATABASE_URL'] ?? '')

await answerQueries({
  isOurs: pooling === 'ours',
  ask: (caller, number, each) => orm.find(1 + ((caller * each + number) % ORDERS)),
  ahead: 50,
  warmUp: 40_000,
})
