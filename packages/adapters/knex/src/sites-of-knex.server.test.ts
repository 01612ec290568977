import { runInScope } from '@leasehold/core'
import { usePostgres } from '@leasehold/testkit/postgres'
import type { Knex } from 'knex'
import { expect, test } from 'vitest'
import { openKnex } from './open-knex.js'

const database = usePostgres()

const HERE = /sites-of-knex\.server\.test\.ts:\d+/

const WORK: Array<[string, (db: Knex) => PromiseLike<unknown>]> = [
  ['a query', (db) => db.select(db.raw('pg_sleep(0.2)'))],
  ['a raw statement', (db) => db.raw('select pg_sleep(0.2)')],
  ['a schema statement', (db) => db.schema.raw('select pg_sleep(0.2)')],
  ['a transaction', (db) => db.transaction((trx) => trx.raw('select pg_sleep(0.2)'))],
]

test.each(WORK)(
  'the holder of %s is named by the line that asked for it, though Knex acquires later',
  async (_what, work) => {
    await using opened = openKnex(database.url, { leasehold: { captureSites: 'always' } })
    const running = (async () => await work(opened.db))()

    await expect.poll(() => opened.pool.snapshot().holders[0]?.site).toMatch(HERE)
    await running
  },
)

test('a query whose label has leaked is named from then on', async () => {
  await using opened = openKnex(database.url, { leasehold: { captureSites: 'adaptive', closeGraceMs: 0 } })
  const sites: Array<string | undefined> = []
  opened.pool.leases.on('leak', ({ site }) => sites.push(site))
  const leave = (): Promise<void> =>
    runInScope({ label: 'leaves' }, async () => {
      await opened.db.transaction()
    })

  await leave()
  await leave()

  expect(sites[0]).toBeUndefined()
  expect(sites[1]).toMatch(HERE)
})

test.each<[string, (db: Knex) => PromiseLike<unknown>]>([
  ['queries', (db) => db('pg_am').first()],
  ['raw statements', (db) => db.raw('select 1')],
  ['transactions', (db) => db.transaction((trx) => trx.raw('select 1'))],
])('a sample of %s is named by the line that asked for it', async (_what, work) => {
  await using opened = openKnex(database.url, { max: 1, leasehold: { captureSites: 'adaptive' } })
  const sites = new Set<string | undefined>()
  opened.db.on('query', () => void sites.add(opened.pool.snapshot().holders[0]?.site))
  for (let query = 0; query < 128; query += 1) await work(opened.db)
  sites.delete(undefined)
  expect([...sites]).toEqual([expect.stringMatching(HERE)])
})
