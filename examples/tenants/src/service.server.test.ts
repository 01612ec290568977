import type { Service } from '@leasehold/example-orders'
import { describeNpmStart } from '@leasehold/example-orders/testing'
import type { LeasedPgPool } from '@leasehold/pg'
import { usePostgres } from '@leasehold/testkit/postgres'
import { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createNotes } from './create-notes.js'
import type { Note } from './notes.js'
import { openPool } from './open-pool.js'

// Generated before anything imports it: in a fresh clone nobody has built yet.
await import('../generate-client.mjs')
const { startTenants } = await import('./start-tenants.js')

const TENANTS = ['acme', 'globex', 'initech', 'umbrella', 'hooli']
const database = usePostgres()
let admin: Client
let pool: LeasedPgPool
let service: Service

beforeAll(async () => {
  await createNotes(database.url)
  admin = new Client(database.url)
  await admin.connect()
  pool = openPool(database.url)
  service = await startTenants({ pool })
})

beforeEach(async () => {
  await admin.query('truncate notes restart identity')
  for (const tenant of TENANTS) {
    await admin.query('insert into notes (tenant_id, text) select $1, $1 || n from generate_series(1, 3) n', [tenant])
  }
})

afterAll(async () => {
  await service.close()
  await admin.end()
})

async function ask(tenant: string, path: string, body?: object): Promise<{ status: number; body: unknown }> {
  const headers = { authorization: `Bearer token-of-${tenant}`, 'content-type': 'application/json' }
  const asked = body === undefined ? { headers: { authorization: headers.authorization } } : { method: 'POST', headers }
  const answer = await fetch(
    `${service.url}${path}`,
    body === undefined ? asked : { ...asked, body: JSON.stringify(body) },
  )
  return { status: answer.status, body: await answer.json() }
}

const ownersIn = (body: unknown): string[] => (body as Note[]).map(({ tenantId }) => tenantId)

describe.each(['knex', 'drizzle', 'prisma'])('through %s', (orm) => {
  test('each of many tenants who ask at a time sees its own notes and no other', async () => {
    const asking = Array.from({ length: 300 }, (_, at) => TENANTS[at % TENANTS.length] ?? '')

    const answers = await Promise.all(asking.map((tenant) => ask(tenant, `/${orm}/notes`)))

    expect(answers.map(({ body }) => ownersIn(body))).toEqual(asking.map((tenant) => [tenant, tenant, tenant]))
  })

  test('a note of another tenant is not there, whoever looks it up in the same tick', async () => {
    const answers = await Promise.all(TENANTS.map((tenant) => ask(tenant, `/${orm}/notes/1`)))

    expect(answers.map(({ status }) => status)).toEqual([200, 404, 404, 404, 404])
  })

  test('what a tenant writes is its own', async () => {
    const written = await ask('globex', `/${orm}/notes`, { text: "it's ours" })

    expect(written).toEqual({ status: 201, body: { id: 16, tenantId: 'globex', text: "it's ours" } })
    expect(ownersIn((await ask('globex', `/${orm}/notes`)).body)).toHaveLength(4)
    expect(ownersIn((await ask('acme', `/${orm}/notes`)).body)).toHaveLength(3)
  })
})

test('nobody comes in without a token, and nothing is asked of the database', async () => {
  const answer = await fetch(`${service.url}/knex/notes`)

  expect(answer.status).toBe(401)
})

test('a query of nobody is refused: without the policy, the login would have seen every note', async () => {
  await expect(pool.query('select * from notes')).rejects.toMatchObject({
    code: 'LEASEHOLD_SETTING_REQUIRED',
    missing: ['role', 'app.tenant_id'],
  })
  expect((await admin.query('select distinct tenant_id from notes')).rowCount).toBe(TENANTS.length)
})

describeNpmStart(new URL('..', import.meta.url), async (url) => {
  const headers = { authorization: 'Bearer token-of-acme', 'content-type': 'application/json' }
  const written = await fetch(`${url}/prisma/notes`, { method: 'POST', headers, body: '{"text":"hello"}' })
  expect([written.status, await written.json()]).toEqual([201, { id: 1, tenantId: 'acme', text: 'hello' }])
})
