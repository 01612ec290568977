import { createPgPool, type LeasedPgPool, type LeasedPgPoolOptions } from '@leasehold/pg'
import { usePostgres } from '@leasehold/testkit/postgres'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, expect, vi } from 'vitest'

/** What a guest gets: a pool of its own in each test, on a database of its own file. */
export interface GuestHouse {
  open(options?: LeasedPgPoolOptions): LeasedPgPool
  /** What the database itself says, asked outside the pool. */
  ask<Row>(statement: string): Promise<Row[]>
}

/** After each test nothing may be held: a guest gives back what it borrows, or its scope has. */
export function useGuestPool(tables: string): GuestHouse {
  const database = usePostgres()
  const opened: LeasedPgPool[] = []
  let outside: Client

  beforeAll(async () => {
    outside = new Client(database.url)
    await outside.connect()
    await outside.query(tables)
  })
  afterAll(() => outside.end())

  afterEach(async () => {
    for (const pool of opened.splice(0)) {
      // oxlint-disable-next-line vitest/no-standalone-expect -- holds after each test
      await vi.waitFor(() => expect(pool.snapshot().connections).toMatchObject({ lent: 0, recycling: 0, opening: 0 }))
      await pool.close({ deadlineMs: 0 })
    }
  })

  return {
    open(options = {}) {
      const pool = createPgPool({ connectionString: database.url, max: 2, ...options })
      opened.push(pool)
      return pool
    },
    async ask<Row>(statement: string): Promise<Row[]> {
      const { rows } = await outside.query(statement)
      return rows as Row[]
    },
  }
}
