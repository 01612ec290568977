import { runInScope, type Settings } from '@leasehold/core'
import { usePostgres } from '@leasehold/testkit/postgres'
import type { Knex } from 'knex'
import { callbackify } from 'node:util'
import { expect, test } from 'vitest'
import { openKnex } from './open-knex.js'

const database = usePostgres()
const as = <R>(settings: Settings, work: () => PromiseLike<R>): Promise<Awaited<R>> =>
  runInScope({ label: 'request', settings }, work)
const settingOf = async (db: Knex, name: string): Promise<unknown> =>
  (await db.raw<{ rows: Array<{ value: string }> }>('select current_setting(?, true) as value', [name])).rows[0]?.value

test('what a scope declares stands over the search path of Knex, also where Knex first meets a connection', async () => {
  await using opened = openKnex(database.url, { max: 1 }, { searchPath: ['pg_temp', 'public'] })
  const { db, pool } = opened
  const declared = { search_path: 'acme' }

  expect(await as(declared, () => settingOf(db, 'search_path'))).toBe('acme')
  expect(await settingOf(db, 'search_path')).toBe('pg_temp, public')
  expect(await as(declared, () => settingOf(db, 'search_path'))).toBe('acme')
  pool.reconnect()
  expect(await as(declared, () => settingOf(db, 'search_path'))).toBe('acme')
})

test('afterCreate runs as the login itself, and what it sets does not stand over what a scope declares', async () => {
  const users: unknown[] = []
  const greet = async (client: { query: (text: string) => Promise<{ rows: unknown[] }> }): Promise<void> => {
    users.push(...(await client.query('select current_user = session_user as own')).rows)
    await client.query(`set app.tenant = 'nobody'`)
  }
  const afterCreate = callbackify(greet)
  await using opened = openKnex(database.url, { max: 1 }, { pool: { afterCreate } })
  const { db } = opened
  await db.raw('create role of_knex')

  const seen = await as({ role: 'of_knex', 'app.tenant': 'a' }, async () => {
    opened.pool.reconnect()
    return [await settingOf(db, 'app.tenant'), await settingOf(db, 'role')]
  })

  expect([seen, users]).toEqual([
    ['a', 'of_knex'],
    [{ own: true }, { own: true }],
  ])
  expect(await settingOf(db, 'app.tenant')).toBe('nobody')
  await db.raw('drop role of_knex')
})

test('a stream, a transaction and a savepoint have what their scope declares', async () => {
  await using opened = openKnex(database.url, { max: 2 })
  const { db } = opened
  const whose = "select current_setting('app.tenant') as tenant"

  const seen = await as({ 'app.tenant': 'a' }, async () => {
    const rows: unknown[] = []
    for await (const row of db.raw(whose).stream()) rows.push(row)
    await db.transaction(async (transaction) => {
      rows.push({ tenant: await settingOf(transaction, 'app.tenant') })
      await transaction.transaction(async (inner) => rows.push({ tenant: await settingOf(inner, 'app.tenant') }))
    })
    return rows
  })

  expect(seen).toEqual([{ tenant: 'a' }, { tenant: 'a' }, { tenant: 'a' }])
})
