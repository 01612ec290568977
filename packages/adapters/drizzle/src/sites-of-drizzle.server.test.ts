import { runInScope } from '@leasehold/core'
import { useClient, usePostgres } from '@leasehold/testkit/postgres'
import { describe, expect, test } from 'vitest'
import { openDrizzle, type OpenedDrizzle, type TestDatabase } from './testing/open-drizzle.js'
import { SUPPORTED_DRIZZLES, TABLES, type SupportedDrizzle } from './testing/supported-drizzles.js'

const database = usePostgres()

useClient(database, TABLES)

type Work = (db: TestDatabase, of: SupportedDrizzle) => PromiseLike<unknown>

const WORK: Record<string, Work> = {
  'a raw statement': (db, { sql }) => db.execute(sql`select 1`),
  'a select': (db, { authors }) => db.select().from(authors),
  'a distinct select': (db, { authors }) => db.selectDistinct().from(authors),
  'an insert': (db, { authors }) => db.insert(authors).values({ name: 'Ada' }),
  'an update': (db, { authors }) => db.update(authors).set({ name: 'Ada' }),
  'a delete': (db, { authors }) => db.delete(authors),
  'a count': (db, { authors }) => db.$count(authors),
  'a relational query': (db) => db.query.authors.findMany({ with: { books: true } }),
  'a transaction': (db, { authors }) => db.transaction((tx) => tx.select().from(authors)),
}

/** Where the leases come from while `work` runs: the function and the file, without the line. */
async function sitesOf({ pool }: OpenedDrizzle, work: () => PromiseLike<unknown>): Promise<unknown[]> {
  const sites: unknown[] = []
  const note = (): void => void sites.push(...pool.snapshot().holders.map(({ site }) => site))
  pool.on('acquire', note)
  await work()
  pool.off('acquire', note)
  return sites
}

const HERE = expect.stringMatching(/sites-of-drizzle\.server\.test\.ts:\d+/)

describe.each(SUPPORTED_DRIZZLES)('Drizzle $name', (supported) => {
  const open = (captureSites: 'always' | 'adaptive' | 'off', max = 3): OpenedDrizzle =>
    openDrizzle(supported, database.url, { max, leasehold: { captureSites, closeGraceMs: 0 } })

  test.each(Object.entries(WORK))(
    'the holder of %s is named by the line that made it, though Drizzle acquires later',
    async (_what, work) => {
      await using opened = open('always')
      expect(await sitesOf(opened, () => work(opened.db, supported))).toEqual([HERE])
    },
  )

  test('a prepared statement is named by the line that executes it', async () => {
    await using opened = open('always')
    const prepared = (function prepare() {
      return opened.db.select().from(supported.authors).prepare('all_authors')
    })()
    const execute = (): Promise<unknown> => prepared.execute()
    expect(await sitesOf(opened, execute)).toEqual([expect.stringMatching(/at execute \(.*sites-of-drizzle/)])
  })

  test('a query whose label has leaked is named from then on', async () => {
    await using opened = open('adaptive')
    const { db, pool } = opened
    const leaks: unknown[] = []
    const off = pool.leases.on('leak', ({ site }) => leaks.push(site))
    const leave = (): Promise<unknown> =>
      runInScope({ label: 'leaves' }, async () => {
        void db.transaction(() => new Promise(() => {})).catch(() => {})
        await expect.poll(() => pool.snapshot().connections.lent).toBe(1)
      })
    await leave()
    await leave()
    off()
    expect(leaks).toEqual([undefined, HERE])
    const named = await sitesOf(opened, () =>
      runInScope({ label: 'leaves' }, async () => db.select().from(supported.authors)),
    )
    expect(named).toEqual([HERE])
  })

  test.each<[string, Work]>([
    ['selects', (db, { authors }) => db.select().from(authors)],
    ['transactions', (db, { authors }) => db.transaction((tx) => tx.select().from(authors))],
  ])('of many %s a sample is named, also where connections are plenty', async (_what, work) => {
    await using opened = open('adaptive', 10)
    const sites = new Set<unknown>()
    for (let query = 0; query < 128; query += 1) {
      for (const site of await sitesOf(opened, () => work(opened.db, supported))) sites.add(site)
    }
    expect(sites).toEqual(new Set([undefined, HERE]))
  })

  test('where no sites are wanted, Drizzle works with its own session', async () => {
    await using opened = open('off')
    const { db } = opened as unknown as { db: { session: object } }
    expect(db.session).toBe(db.session)
    expect(await sitesOf(opened, () => opened.db.select().from(supported.authors))).toEqual([undefined])
  })
})
