import { createPgPool, type LeasedPgPool } from '@leasehold/pg'
import type { LeasedPgPoolOptions } from '@leasehold/pg'
import { usePostgres } from '@leasehold/testkit/postgres'
import { Client } from 'pg'
import { afterAll, beforeAll, expect } from 'vitest'
import { foretell } from './foretell.js'
import { type Member, MEMBERS } from './members.js'
import { describePlan, type Plan } from './plan.js'
import { play } from './play.js'

/** So many plans are played at a time. */
const AT_A_TIME = 8
/** One may need a connection for each of its transactions. */
const CONNECTIONS_OF_ONE = 5

/** A database, a pool on it, and all members on that, for plans to be played on. */
export interface Stage {
  readonly url: string
  readonly pool: LeasedPgPool
  readonly outside: Client
  /** @param by its place in `MEMBERS`. */
  member(by: number): Member
  /** What is there for everybody. */
  rows(): Promise<readonly string[]>
  /** Plays all plans, each with rows of its own, and expects what was foretold. */
  expectFates(plans: readonly Plan[]): Promise<void>
}

export function useStage(options: LeasedPgPoolOptions = {}): Stage {
  const postgres = usePostgres()
  let outside: Client
  let pool: LeasedPgPool
  let members: Member[]
  beforeAll(async () => {
    outside = new Client(postgres.url)
    await outside.connect()
    await outside.query('create table rows (plan int, name text)')
    pool = createPgPool({ connectionString: postgres.url, max: AT_A_TIME * CONNECTIONS_OF_ONE, ...options })
    members = await Promise.all(MEMBERS.map((kind) => kind.open(pool)))
  })
  afterAll(async () => {
    await pool.close({ deadlineMs: 200 })
    await outside.end()
  })
  return {
    get url() {
      return postgres.url
    },
    get pool() {
      return pool
    },
    get outside() {
      return outside
    },
    member(by) {
      const member = members[by]
      if (member === undefined) throw new Error(`there is no member ${by}`)
      return member
    },
    async rows() {
      const result = await outside.query<{ name: string }>('select name from rows order by name collate "C"')
      return result.rows.map(({ name }) => name)
    },
    async expectFates(plans) {
      await outside.query('truncate rows')
      const ends: Array<readonly string[]> = []
      const entries = plans.entries()
      const player = async (): Promise<void> => {
        for (const [at, plan] of entries) {
          ends[at] = await play(plan, members, pool, (row) => `insert into rows values (${at}, '${row}')`)
        }
      }
      await Promise.all(Array.from({ length: AT_A_TIME }, player))
      const { rows } = await outside.query<{ plan: number; names: string[] }>(
        'select plan, array_agg(name order by name collate "C") as names from rows group by plan',
      )
      const there = new Map(rows.map(({ plan, names }) => [plan, names]))
      const orms = MEMBERS.map(({ name }) => name)
      const surprises = plans.flatMap((plan, at) => {
        const found = { rows: there.get(at) ?? [], ends: ends[at] }
        const foretold = foretell(plan)
        const isSo = JSON.stringify(found) === JSON.stringify(foretold)
        return isSo ? [] : [{ plan: describePlan(plan, orms), found, foretold }]
      })
      expect(surprises.slice(0, 3)).toEqual([])
      expect(pool.snapshot()).toMatchObject({ connections: { lent: 0 }, waiting: { count: 0 } })
    },
  }
}
