// A small service, in a process of its own: `node service.js <kind>`, with the database in DATABASE_URL. The kinds differ
// in nothing but the pool, and in whether a request has a context. Tells its parent where it listens and, when asked, what
// it has used of the processor.
import { AsyncLocalStorage } from 'node:async_hooks'
import { leasehold } from '@leasehold/fastify'
import { createKnex } from '@leasehold/knex'
import fastify from 'fastify'
import knexOfItsOwn, { type Knex } from 'knex'
import { EQUAL_TERMS } from '../contestants/contestant.js'
import type { ServiceKind } from './start-service.js'
import { openOurPool } from '../contestants/open-our-pool.js'

const connectionString = process.env['DATABASE_URL'] ?? ''
const app = fastify()
const kind = process.argv[2] as ServiceKind
const knex = kind === 'leasehold' ? await onOurPool() : onItsOwn()
if (kind === 'knex-in-context') giveContexts()

async function onOurPool(): Promise<Knex> {
  const pool = openOurPool({
    connectionString,
    max: EQUAL_TERMS.max,
    connectionTimeoutMillis: EQUAL_TERMS.acquireTimeoutMs,
    idleTimeoutMillis: EQUAL_TERMS.idleTimeoutMs,
  })
  await app.register(leasehold, { pool })
  return createKnex(pool)
}

function onItsOwn(): Knex {
  return knexOfItsOwn({
    client: 'pg',
    connection: { connectionString },
    acquireConnectionTimeout: EQUAL_TERMS.acquireTimeoutMs,
    pool: { min: 0, max: EQUAL_TERMS.max, idleTimeoutMillis: EQUAL_TERMS.idleTimeoutMs },
  })
}

/** What request ids in logs, tracing and the like do: @fastify/request-context, OpenTelemetry. */
function giveContexts(): void {
  const contexts = new AsyncLocalStorage<{ readonly id: string }>()
  app.addHook('onRequest', (request, _reply, done) => contexts.run({ id: request.id }, done))
}

app.get<{ Params: { id: string } }>('/orders/:id', async ({ params }, reply) => {
  const order = await knex('orders')
    .where({ id: Number(params.id) })
    .first<{ id: number } | undefined>()
  return order ?? reply.code(404).send({ error: 'no such order' })
})

await app.listen({ host: '127.0.0.1', port: 0 })
const address = app.server.address()
if (address === null || typeof address === 'string') throw new Error('it does not listen on a port')
process.send?.({ port: address.port })
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.({ cpuMicros: user + system })
})
// The parent has gone: so does the service, connections and all.
process.once('disconnect', () => process.exit(0))
