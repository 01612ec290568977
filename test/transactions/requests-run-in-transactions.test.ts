import { once } from 'node:events'
import { request } from 'node:http'
import { createPgPool, type LeasedPgPool } from '@leasehold/pg'
import { useClient, usePostgres } from '@leasehold/testkit/postgres'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MEMBERS } from './members.js'
import { type Handler, type Service, SERVICES } from './transactional-services.js'

const NAME = 'requests-in-transactions'
const postgres = usePostgres()
const failure = new Error('of the handler')
let pool: LeasedPgPool
let service: Service

const outside = useClient(
  postgres,
  'create table rows (name text primary key, other text)',
  // Looked at when the transaction is committed, and not before.
  'alter table rows add foreign key (other) references rows deferrable initially deferred',
)
beforeEach(async () => {
  await outside.query('truncate rows')
  pool = createPgPool({
    connectionString: postgres.url,
    application_name: NAME,
    max: 2,
    leasehold: { closeGraceMs: 50 },
  })
})
afterEach(() => service.close())

const insert = (name: string): string => `insert into rows values ('${name}')`
const WHERE = 'select pg_backend_pid()::text as pid, txid_current()::text as id'

async function rows(): Promise<string> {
  const { rows: found } = await outside.query<{ name: string }>('select name from rows order by name collate "C"')
  return found.map(({ name }) => name).join()
}

async function ask(how: string): Promise<{ readonly status: number; readonly body: string }> {
  const answer = await fetch(`http://127.0.0.1:${service.port}/${how}`)
  return { status: answer.status, body: await answer.text() }
}

/** No connection of the pool is in a transaction, or does anything. */
async function allIsQuiet(): Promise<void> {
  await vi.waitFor(async () => {
    const text = `select state from pg_stat_activity where application_name = $1 and state <> 'idle'`
    expect((await outside.query(text, [NAME])).rows).toEqual([])
    expect(pool.snapshot().connections).toMatchObject({ lent: 0, recycling: 0 })
  }, 5_000)
}

describe.each(SERVICES)('a request in a transaction on $name', ({ start }) => {
  const run = async (handler: Handler, deadlineMs?: number): Promise<void> => {
    service = await start(pool, handler, deadlineMs)
  }

  it('is one transaction for pg, Knex, Drizzle and Prisma, which others see as soon as the client has its answer', async () => {
    const members = await Promise.all(MEMBERS.map(async ({ name, open }) => ({ name, member: await open(pool) })))
    const places = new Set<string>()
    await run(async () => {
      for (const { name, member } of members) {
        await member.run(insert(name))
        await member.transaction(async (query) => void (await query(insert(`${name} inside`))))
        places.add(JSON.stringify(await member.run(WHERE)))
      }
      expect(await rows()).toBe('')
      return 'done'
    })
    expect(await ask('commit')).toEqual({ status: 200, body: 'done' })
    expect(await rows()).toBe('Drizzle,Drizzle inside,Knex,Knex inside,Prisma,Prisma inside,pg,pg inside')
    expect(places.size).toBe(1)
  })

  it.each(MEMBERS)('leaves nothing of $name when its handler throws', async ({ open }) => {
    const member = await open(pool)
    await run(async () => {
      await member.run(insert('a'))
      await member.transaction(async (query) => void (await query(insert('b'))))
      throw failure
    })
    expect((await ask('throw')).status).toBe(500)
    expect(await rows()).toBe('')
    await allIsQuiet()
  })

  it('is answered with an error when the commit fails, and leaves nothing', async () => {
    await run(async () => {
      await pool.query(`insert into rows values ('a', 'nobody')`)
      return 'done'
    })
    const { status, body } = await ask('commit-fails')
    expect([status, body === 'done']).toEqual([500, false])
    expect(await rows()).toBe('')
    await allIsQuiet()
  })

  it('leaves nothing when its client hangs up in the middle of a statement', async () => {
    await run(async () => {
      await pool.query(insert('a'))
      await pool.query('select pg_sleep(60)')
      return 'done'
    })
    const sent = request({ port: service.port, path: '/sleep', agent: false }).on('error', () => {})
    sent.end()
    await once(sent, 'socket')
    await vi.waitFor(async () => {
      const text = `select from pg_stat_activity where application_name = $1 and query like '%pg_sleep%'`
      expect((await outside.query(text, [NAME])).rowCount).toBe(1)
    }, 5_000)
    sent.destroy()
    await allIsQuiet()
    expect(await rows()).toBe('')
  })

  it('leaves nothing when it takes longer than its deadline, and is answered 503', async () => {
    await run(async () => {
      await pool.query(insert('a'))
      await pool.query('select pg_sleep(60)')
      return 'done'
    }, 150)
    expect((await ask('sleep')).status).toBe(503)
    expect(await rows()).toBe('')
    await allIsQuiet()
  })
})
