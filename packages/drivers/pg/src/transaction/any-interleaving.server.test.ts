import { usePostgres } from '@leasehold/testkit/postgres'
import fc from 'fast-check'
import { Client } from 'pg'
import type * as pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SEED } from '@leasehold/testkit'
import { usePools } from '../testing/leased-pool.js'

const database = usePostgres()
const open = usePools(database)
let outside: Client

beforeAll(async () => {
  outside = new Client(database.url)
  await outside.connect()
  await outside.query('create table rows (number int)')
})
afterAll(() => outside.end())

type Does = 'BEGIN' | 'insert' | 'fail' | 'COMMIT' | 'ROLLBACK'
const step = fc.record({
  // The last one is the pool itself, whose statements stand alone.
  who: fc.nat(3),
  does: fc.constantFrom<Does>('BEGIN', 'BEGIN', 'insert', 'insert', 'insert', 'COMMIT', 'COMMIT', 'ROLLBACK', 'fail'),
})

/** What one client was told of its rows: pending in its inner transaction, or kept. */
interface Told {
  inner: number[] | undefined
  readonly kept: number[]
}

async function play(client: pg.Client, does: Does, number: number, told: Told): Promise<void> {
  if (does === 'insert') {
    await client.query('insert into rows values ($1)', [number])
    ;(told.inner ?? told.kept).push(number)
  } else if (does === 'fail') await client.query('select 1/0')
  else if (does === 'BEGIN') {
    if (told.inner !== undefined) return
    await client.query('BEGIN')
    told.inner = []
  } else if (told.inner !== undefined) {
    const { inner } = told
    told.inner = undefined
    const { command } = await client.query(does)
    if (command === 'COMMIT') told.kept.push(...inner)
  }
}

test('whatever many do in one transaction, in whatever order: what each was told of its rows is so, or the whole fails', async () => {
  const pool = open({ max: 2 })
  let committed = 0
  const run = async (steps: ReadonlyArray<{ readonly who: number; readonly does: Does }>): Promise<void> => {
    await outside.query('truncate rows')
    const kept: number[] = []
    const whole = pool.transaction(async () => {
      const clients = [await pool.connect(), await pool.connect(), await pool.connect()]
      const told = clients.map((): Told => ({ inner: undefined, kept }))
      for (const [number, { who, does }] of steps.entries()) {
        const client = clients[who]
        const of = told[who]
        if (client !== undefined && of !== undefined) await play(client, does, number, of).catch(() => {})
        else
          await pool.query('insert into rows values ($1)', [number]).then(
            () => kept.push(number),
            () => {},
          )
      }
      for (const client of clients) client.release()
    })
    const code = await whole.then(
      () => 'committed',
      (error: { code?: string }) => error.code,
    )
    const { rows } = await outside.query<{ number: number }>('select number from rows order by number')
    const there = rows.map(({ number }) => number)
    if (code === 'committed') {
      committed += 1
      expect(there).toEqual(kept.toSorted((a, b) => a - b))
    } else expect([code, there]).toEqual(['LEASEHOLD_TRANSACTION_CONFLICT', []])
    expect(pool.snapshot().connections.lent).toBe(0)
  }
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 16 }), run), { ...SEED, numRuns: 500 })
  // Otherwise nothing was shown.
  expect(committed).toBeGreaterThan(50)
})
