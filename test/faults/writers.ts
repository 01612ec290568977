import { runInScope } from '@leasehold/core'
import type { LeasedPgPool } from '@leasehold/pg'
import { type Writer, writersOf } from '@leasehold/testkit/faults'
import { MEMBERS } from '../transactions/members.js'

const ORMS = ['Knex', 'Drizzle', 'Prisma']

/** The three ORMs on one pool, each caller in a scope of its own that waits no longer than `deadlineMs` for a connection. */
export async function writersOn(pool: LeasedPgPool, deadlineMs: number): Promise<readonly Writer[]> {
  const orms = MEMBERS.filter(({ name }) => ORMS.includes(name))
  const writers = await Promise.all(orms.map(async ({ name, open }) => writersOf(name, await open(pool))))
  return writers.flat().map(({ name, write }) => ({
    name,
    write: (id) => runInScope({ label: name, deadlineMs }, async () => await write(id)),
  }))
}
