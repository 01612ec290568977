import { createPgPool, type LeasedPgPool, type LeasedPgPoolOptions } from '@leasehold/pg'
import { usePostgres } from '@leasehold/testkit/postgres'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'

/** A table of names, empty for each test, and pools on its database. */
export interface Rows {
  /** A client of no pool. */
  readonly outside: Client
  /** Opens the pool of a test. Nobody may hold or await anything of it when the test ends. */
  open(options: LeasedPgPoolOptions): LeasedPgPool
  /** What is there for everybody. */
  rows(this: void): Promise<string>
}

export function useRows(): Rows {
  const postgres = usePostgres()
  let outside: Client
  let pool: LeasedPgPool | undefined

  beforeAll(async () => {
    outside = new Client(postgres.url)
    await outside.connect()
    await outside.query('create table rows (name text primary key)')
  })
  afterAll(() => outside.end())
  beforeEach(() => outside.query('truncate rows'))
  afterEach(async () => {
    expect(pool?.snapshot()).toMatchObject({ connections: { lent: 0 }, waiting: { count: 0 } })
    await pool?.close({ deadlineMs: 200 })
  })

  return {
    get outside() {
      return outside
    },
    open(options) {
      pool = createPgPool({ connectionString: postgres.url, ...options })
      return pool
    },
    async rows() {
      const result = await outside.query<{ name: string }>('select name from rows order by name')
      return result.rows.map(({ name }) => name).join()
    },
  }
}
