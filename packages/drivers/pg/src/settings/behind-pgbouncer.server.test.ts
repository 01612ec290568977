import { runInScope, type Settings } from '@leasehold/core'
import { usePgBouncer } from '@leasehold/testkit/pgbouncer'
import { usePostgres } from '@leasehold/testkit/postgres'
import { Client } from 'pg'
import Cursor from 'pg-cursor'
import { describe, expect, it } from 'vitest'
import type { LeasedPgPoolOptions } from '../facade/facade-options.js'
import type { LeasedPgPool } from '../facade/leased-pg-pool.js'
import { usePools } from '../testing/leased-pool.js'
import { useNotes } from '../testing/use-notes.js'

// Two sessions on the server behind one PgBouncer, which gives them to whoever has a transaction.

const database = usePostgres()
const ROLE = `pooled_role_${process.pid}`
const admin = useNotes(database, ROLE)

const as = <R>(settings: Settings, work: () => R | PromiseLike<R>) => runInScope({ label: 'test', settings }, work)
const tenant = (id: string) => ({ 'app.tenant_id': id })
const TENANT = `select current_setting('app.tenant_id', true) as tenant`
const tenantIn = async (pool: { query(text: string): Promise<{ rows: unknown[] }> }): Promise<unknown> =>
  ((await pool.query(TENANT)).rows as Array<{ tenant: string }>)[0]?.tenant || null

describe('behind PgBouncer that pools transactions', () => {
  const bouncer = usePgBouncer(database, { mode: 'transaction', size: 2 })
  const poolOf = usePools(bouncer)
  const pooled = (options: LeasedPgPoolOptions = {}): LeasedPgPool =>
    poolOf({ max: 8, ...options, leasehold: { behind: 'pgbouncer', ...options.leasehold } })

  it('every one of many reads by many tenants is its own', async () => {
    const pool = pooled()
    const ids = Array.from({ length: 400 }, (_, at) => (at % 5 === 0 ? null : String(at % 5)))

    const seen = await Promise.all(
      ids.map((id) => (id === null ? tenantIn(pool) : as(tenant(id), () => tenantIn(pool)))),
    )

    expect(seen).toEqual(ids)
  })

  it('without saying so, settings would be met by others or not be made: that is what it takes', async () => {
    const wrong = poolOf({ max: 8, leasehold: { behind: 'nothing' } })
    const ids = Array.from({ length: 200 }, (_, at) => String(at % 5))

    // It is for PgBouncer to say when it hands on a session: on some machines it goes well for a while.
    let wentWrong = false
    for (let round = 0; round < 50 && !wentWrong; round += 1) {
      const seen = await Promise.all(ids.map((id) => as(tenant(id), () => tenantIn(wrong).catch(() => 'refused'))))
      wentWrong = ids.some((id, at) => seen[at] !== id)
    }
    // What it has left on the server's sessions must not be met by the tests that follow.
    const clients = [1, 2, 3, 4].map(() => new Client(bouncer.url))
    await Promise.all(clients.map((client) => client.connect()))
    await Promise.all(
      clients.map((client) => client.query(`select pg_sleep(0.05), set_config('app.tenant_id', '', false)`)),
    )
    await Promise.all(clients.map((client) => client.end()))
    expect(wentWrong).toBe(true)
  })

  it('and not saying what it is, settings are refused before anything runs', async () => {
    const unsaid = poolOf({ max: 1 })

    for (const statement of ['delete from notes', 'begin', 'delete from notes; select 1']) {
      await expect(as(tenant('1'), () => unsaid.query(statement))).rejects.toMatchObject({
        code: 'LEASEHOLD_SETTINGS_FAILED',
        message: expect.stringContaining("behind: 'pgbouncer'") as string,
      })
    }

    expect((await admin.query('select * from notes')).rowCount).toBe(2)
    expect(await tenantIn(unsaid)).toBe(null)
  })

  it('a transaction has its settings from its first statement to its end, and the next has its own', async () => {
    const pool = pooled()
    const transactions = Array.from({ length: 40 }, (_, at) =>
      as({ ...tenant(String(at)), role: ROLE }, () =>
        pool.use(async (client) => {
          await client.query(at % 2 === 0 ? 'begin' : 'begin isolation level repeatable read')
          const seen = [await tenantIn(client)]
          await client.query('savepoint s')
          await client.query('select 1/0').catch(() => {})
          await client.query('rollback to s')
          seen.push(await tenantIn(client))
          await client.query(at % 3 === 0 ? 'rollback' : 'commit')
          seen.push(await tenantIn(client))
          return seen
        }),
      ),
    )

    expect(await Promise.all(transactions)).toEqual(Array.from({ length: 40 }, (_, at) => Array(3).fill(String(at))))
    expect(await tenantIn(pool)).toBe(null)
  })

  it.each(['savepoint s', 'select 1; select 2', 'create table t_pooled (a int)'])(
    'the first statement of a transaction may be any: %s',
    async (statement) => {
      const pool = pooled({ max: 1 })
      await as(tenant('1'), () =>
        pool.use(async (client) => {
          await client.query('begin')
          await client.query(statement)
          expect(await tenantIn(client)).toBe('1')
          await client.query('rollback')
        }),
      )
    },
  )

  it('a cursor reads with the settings of its transaction', async () => {
    const pool = pooled({ max: 1 })
    const rows = await as(tenant('1'), () =>
      pool.use(async (client) => {
        await client.query('begin')
        const cursor = client.query(new Cursor(TENANT))
        const read = (await cursor.read(10)) as unknown
        await cursor.close()
        await client.query('commit')
        return read
      }),
    )

    expect(rows).toEqual([{ tenant: '1' }])
  })

  it.each(['vacuum notes', 'delete from notes; select 1', 'do $$ begin delete from notes; end $$'])(
    'outside a transaction what cannot carry settings is refused, with the reason: %s',
    async (statement) => {
      const pool = pooled({ max: 1 })

      await expect(as(tenant('1'), () => pool.query(statement))).rejects.toMatchObject({
        code: 'LEASEHOLD_SETTINGS_FAILED',
        message: expect.stringContaining('Run it inside a transaction') as string,
      })
      expect((await admin.query('select * from notes')).rowCount).toBe(2)
      // Who declares nothing is as free as ever.
      if (statement.startsWith('vacuum')) await pool.query(statement)
    },
  )

  it('a setting that counts only for the next transaction is refused', async () => {
    const pool = pooled({ max: 1 })

    await expect(as({ default_transaction_read_only: true }, () => pool.query('select 1'))).rejects.toMatchObject({
      code: 'LEASEHOLD_SETTINGS_FAILED',
    })
  })

  it.each([
    'set app.x = 1',
    `select set_config('app.x', '1', false)`,
    `select * from "set_config"('app.x', '1', false)`,
    `set role ${ROLE}`,
    'listen x',
    'select pg_advisory_lock(1)',
    'prepare p as select 1',
    'create temp table t (a int)',
    'declare c cursor with hold for select 1',
  ])('what would be left on a session is refused, with the reason: %s', async (statement) => {
    const pool = pooled({ max: 1 })

    await expect(pool.query(statement)).rejects.toMatchObject({
      code: 'LEASEHOLD_MODE_VIOLATION',
      behind: 'pgbouncer',
    })
  })

  it('what ends with the transaction is not', async () => {
    const pool = pooled({ max: 1 })
    await pool.use(async (client) => {
      await client.query('begin')
      await client.query('set local app.x = 1')
      await client.query('select pg_advisory_xact_lock(1)')
      await client.query('create temp table t (a int) on commit drop')
      await client.query('commit')
    })
  })

  it('a setting that fails keeps the statement from running', async () => {
    const pool = pooled({ max: 1 })

    await expect(as({ role: 'nobody_like_it' }, () => pool.query('delete from notes'))).rejects.toMatchObject({
      code: 'LEASEHOLD_SETTINGS_FAILED',
      cause: { severity: 'ERROR' },
    })
    await expect(
      as({ role: 'nobody_like_it' }, () =>
        pool.use(async (client) => {
          await client.query('begin')
          await client.query('delete from notes; select 1')
        }),
      ),
    ).rejects.toMatchObject({ code: 'LEASEHOLD_SETTINGS_FAILED' })

    expect((await admin.query('select * from notes')).rowCount).toBe(2)
    expect(await as(tenant('1'), () => tenantIn(pool))).toBe('1')
  })
})

describe('behind PgBouncer that pools sessions', () => {
  const bouncer = usePgBouncer(database, { mode: 'session', size: 4 })
  const poolOf = usePools(bouncer)

  it('saying that nothing stands between is right', async () => {
    const pool = poolOf({ max: 2, leasehold: { behind: 'nothing' } })
    const ids = Array.from({ length: 100 }, (_, at) => String(at % 5))

    expect(await Promise.all(ids.map((id) => as(tenant(id), () => tenantIn(pool))))).toEqual(ids)
    expect(await tenantIn(pool)).toBe(null)
  })
})
