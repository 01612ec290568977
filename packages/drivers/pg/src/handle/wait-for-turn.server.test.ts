import { setTimeout as pause } from 'node:timers/promises'
import { usePostgres } from '@leasehold/testkit/postgres'
import Cursor from 'pg-cursor'
import { describe, expect, it } from 'vitest'
import { usePools } from '../testing/leased-pool.js'

const open = usePools(usePostgres())

describe('a statement behind a cursor, in one pool.transaction', () => {
  const numbers = 'select generate_series(1, 4) as n'

  const terms = [{}, { query_timeout: 30_000 }]

  it.each(terms)('fails when nobody reads on, and the cursor goes on; with %j', async (more) => {
    const pool = open({ leasehold: { acquireTimeoutMs: 100 }, ...more })
    await pool.transaction(async (client) => {
      const cursor = client.query(new Cursor(numbers))
      await cursor.read(1)
      await expect(pool.query('select 1')).rejects.toMatchObject({
        code: 'LEASEHOLD_ACQUIRE_TIMEOUT',
        message: expect.stringMatching(
          /waited \d+ ms for its turn .* has a stream open, from which nobody reads on: select generate_series/,
        ) as unknown,
      })
      expect(await cursor.read(10)).toHaveLength(3)
      await cursor.close()
      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    })
  })

  it('waits for a reader that is slow, for longer than that', async () => {
    const pool = open({ leasehold: { acquireTimeoutMs: 900 } })
    await pool.transaction(async (client) => {
      const cursor = client.query(new Cursor(numbers))
      const behind = pool.query('select 1 as one')
      for (let read = 0; read < 4; read += 1) {
        await cursor.read(1)
        await pause(250)
      }
      await cursor.close()
      expect((await behind).rows).toEqual([{ one: 1 }])
    })
  })
})
