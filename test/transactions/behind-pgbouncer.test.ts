import { runInScope } from '@leasehold/core'
import { createPgPool, type LeasedPgPool } from '@leasehold/pg'
import { usePgBouncer } from '@leasehold/testkit/pgbouncer'
import { usePostgres } from '@leasehold/testkit/postgres'
import { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Member, MEMBERS } from './members.js'

const database = usePostgres()
const bouncer = usePgBouncer(database, { mode: 'transaction', size: 3 })
let outside: Client
let pool: LeasedPgPool
let members: Member[]

beforeAll(async () => {
  outside = new Client(database.url)
  await outside.connect()
  await outside.query('create table rows (name text primary key)')
  pool = createPgPool({ connectionString: bouncer.url, max: 10, leasehold: { behind: 'pgbouncer' } })
  members = await Promise.all(MEMBERS.map((kind) => kind.open(pool)))
})
afterAll(async () => {
  await pool.close({ deadlineMs: 200 })
  await outside.end()
})
beforeEach(() => outside.query('truncate rows'))

const failure = new Error('of the work')
const PLACE =
  "select pg_backend_pid() as pid, txid_current()::text as id, current_setting('app.tenant', true) as tenant"

/** Every member writes on its root object and in a transaction of its own, and tells where it did. */
async function writeAll(tenant: string): Promise<ReadonlySet<string>> {
  const places = new Set<string>()
  for (const [by, member] of members.entries()) {
    await member.run(`insert into rows values ('${tenant} ${by} root')`)
    await member.transaction(async (run) => {
      await run(`insert into rows values ('${tenant} ${by} own')`)
      places.add(JSON.stringify(await run(PLACE)))
    })
    const rolledBack = member.transaction(async (run) => {
      await run(`insert into rows values ('${tenant} ${by} never')`)
      throw failure
    })
    await expect(rolledBack).rejects.toBe(failure)
    places.add(JSON.stringify(await member.run(PLACE)))
  }
  return places
}

async function rowsOf(tenant: string): Promise<number> {
  const { rows } = await outside.query<{ name: string }>('select name from rows where name like $1', [`${tenant} %`])
  expect(rows.filter(({ name }) => name.endsWith('never'))).toEqual([])
  return rows.length
}

test('behind PgBouncer that pools transactions, one transaction of all ORMs is one on the server, whatever else goes on', async () => {
  const tenants = Array.from({ length: 8 }, (_, number) => `tenant-${number}`)
  await Promise.all(
    tenants.map((tenant, number) =>
      runInScope({ label: tenant, settings: { 'app.tenant': tenant } }, async () => {
        const isRolledBack = number % 2 === 1
        const run = pool.transaction(async () => {
          const places = [...(await writeAll(tenant))]
          expect(places).toEqual([expect.stringContaining(`"tenant":"${tenant}"`)])
          if (isRolledBack) throw failure
        })
        if (isRolledBack) await expect(run).rejects.toBe(failure)
        else await run
      }),
    ),
  )
  for (const [number, tenant] of tenants.entries()) {
    expect(await rowsOf(tenant)).toBe(number % 2 === 1 ? 0 : 2 * members.length)
  }
  expect(pool.snapshot().connections.lent).toBe(0)
})
