import type { Service, ServiceOptions } from '@leasehold/example-orders'
import { leasehold } from '@leasehold/fastify'
import fastify from 'fastify'
import { authenticate } from './authenticate.js'
import { notesRoutes } from './notes-routes.js'
import { openDrizzleNotes } from './open-drizzle-notes.js'
import { openKnexNotes } from './open-knex-notes.js'
import { openPrismaNotes } from './open-prisma-notes.js'

/** The service, listening: the same notes through each ORM. */
export async function startTenants({
  pool,
  host = '127.0.0.1',
  port = 0,
  log = false,
}: Omit<ServiceOptions, 'store'>): Promise<Service> {
  const app = fastify({ logger: log })
  await app.register(leasehold, {
    pool,
    // Asked at the first query of a request, when the hook below has found out whose it is.
    settings: ({ tenant }) => (tenant === undefined ? undefined : { role: 'notes_app', 'app.tenant_id': tenant }),
  })
  app.decorateRequest('tenant', undefined)
  app.addHook('preHandler', authenticate)
  await app.register(notesRoutes, { prefix: '/knex', notes: openKnexNotes(pool) })
  await app.register(notesRoutes, { prefix: '/drizzle', notes: openDrizzleNotes(pool) })
  await app.register(notesRoutes, { prefix: '/prisma', notes: openPrismaNotes(pool) })

  const url = await app.listen({ host, port })
  return { url, close: () => app.close() }
}
