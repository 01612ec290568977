import { withRollback } from '@leasehold/core/testing'
import leasehold from '@leasehold/fastify'
import { createPgPool, type LeasedPgPool } from '@leasehold/pg'
import { usePostgres } from '@leasehold/testkit/postgres'
import fastify, { type FastifyInstance } from 'fastify'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Member, MEMBERS } from './members.js'

const postgres = usePostgres()
let outside: Client
let pool: LeasedPgPool
let members: readonly Member[]

beforeAll(async () => {
  outside = new Client(postgres.url)
  await outside.connect()
  await outside.query('create table rows (name text primary key)')
})
afterAll(() => outside.end())
beforeEach(async () => {
  await outside.query('truncate rows')
  pool = createPgPool({ connectionString: postgres.url, max: 3 })
  members = await Promise.all(MEMBERS.map((kind) => kind.open(pool)))
})
afterEach(async () => {
  expect(pool.snapshot()).toMatchObject({ connections: { lent: 0 }, waiting: { count: 0 } })
  await pool.close({ deadlineMs: 200 })
})

const failure = new Error('of the test')
const insert = (name: string): string => `insert into rows values ('${name}')`
const names = async (): Promise<unknown> =>
  (await pool.query<{ name: string }>('select name from rows order by name')).rows.map(({ name }) => name).join()
const outsideNames = async (): Promise<unknown> => (await outside.query('select name from rows')).rows

/** A service that writes as its requests say. */
function serve(): FastifyInstance {
  const app = fastify()
  void app.register(leasehold, { pool, closePool: false })
  app.post<{ Params: { name: string } }>('/rows/:name', async (request) => {
    const [first, second] = members
    await first?.transaction(async (run) => void (await run(insert(request.params.name))))
    await second?.run(insert(`${request.params.name} again`))
    return 'written'
  })
  return app
}

describe('withRollback', () => {
  it('takes back what pg, Knex, Drizzle and Prisma did, alone and in transactions', async () => {
    const seen = await withRollback(pool, async () => {
      for (const [index, member] of members.entries()) {
        await member.run(insert(`${index} alone`))
        await member.transaction(async (run) => void (await run(insert(`${index} inside`))))
        const rolledBack = member.transaction(async (run) => {
          await run(insert(`${index} undone`))
          throw failure
        })
        await expect(rolledBack).rejects.toBe(failure)
      }
      return names()
    })
    expect(seen).toBe(MEMBERS.flatMap((_member, index) => [`${index} alone`, `${index} inside`]).join())
    expect(await outsideNames()).toEqual([])
  })

  it('takes back what an injected request did, and one that came over a socket', async () => {
    const app = serve()
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    try {
      await withRollback(pool, async () => {
        expect((await app.inject({ method: 'POST', url: '/rows/injected' })).statusCode).toBe(200)
        expect((await fetch(`${url}/rows/sent`, { method: 'POST' })).status).toBe(200)
        expect(await names()).toBe('injected,injected again,sent,sent again')
      })
      expect(await outsideNames()).toEqual([])
      expect((await fetch(`${url}/rows/later`, { method: 'POST' })).status).toBe(200)
      expect(await outsideNames()).toHaveLength(2)
    } finally {
      await app.close()
    }
  })

  it('lets a lone statement fail by itself, as it does without a test around it', async () => {
    await withRollback(pool, async () => {
      for (const member of members) {
        const refused = await member.run('select 1/0').catch((error: unknown) => error)
        expect(refused).toBeInstanceOf(Error)
      }
      await pool.query(insert('after'))
      expect(await names()).toBe('after')
    })
    expect(await outsideNames()).toEqual([])
  })

  it('holds every propagation and isolation inside, requests side by side too', async () => {
    await withRollback(pool, async () => {
      await pool.transaction(() => pool.query(insert('a')), { isolation: 'serializable' })
      await pool.transaction(() => pool.transaction(() => pool.query(insert('b')), { propagation: 'requires-new' }))
      await pool.transaction(() => pool.query(insert('c')), { propagation: 'never' })
      await pool.transaction(() => pool.query(insert('d')), { propagation: 'not-supported' })
      await members[3]?.transaction(async (run) => void (await run(insert('e'))), {
        level: 'serializable',
        named: 'Serializable',
      })
      await Promise.all(
        members.map((member, index) => member.transaction(async (run) => void (await run(insert(`${index}`))))),
      )
      await expect(pool.transaction(() => {}, { propagation: 'mandatory' })).rejects.toMatchObject({
        code: 'LEASEHOLD_TRANSACTION_CONFLICT',
      })
      expect(await names()).toBe('0,1,2,3,a,b,c,d,e')
    })
    expect(await outsideNames()).toEqual([])
  })

  it('calls no hook of what a test committed, and those for a rollback of what it rolled back', async () => {
    const called: string[] = []
    await withRollback(pool, async () => {
      await pool.transaction((_client, transaction) => {
        transaction.afterCommit(() => called.push('commit'))
        transaction.afterRollback(() => called.push('rollback'))
      })
      const rolledBack = pool.transaction((_client, transaction) => {
        transaction.afterRollback(() => called.push('its own rollback'))
        throw failure
      })
      await expect(rolledBack).rejects.toBe(failure)
    })
    expect(called).toEqual(['its own rollback'])
  })

  it('is over when the test has failed, and when it is used twice at once only the first runs', async () => {
    await expect(
      withRollback(pool, async () => {
        await pool.query(insert('a'))
        await expect(withRollback(pool, () => {})).rejects.toMatchObject({ code: 'LEASEHOLD_TRANSACTION_CONFLICT' })
        throw failure
      }),
    ).rejects.toBe(failure)
    expect(await outsideNames()).toEqual([])
    await pool.query(insert('b'))
    expect(await outsideNames()).toHaveLength(1)
  })

  it('works on a pool that else joins nothing', async () => {
    const apart = createPgPool({ connectionString: postgres.url, max: 2, leasehold: { joinTransactions: 'off' } })
    await withRollback(apart, () => apart.query(insert('a')))
    expect(await outsideNames()).toEqual([])
    await apart.close()
  })
})
