import { openFakePool } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import type { Propagation } from '../options/transaction-options.js'

interface Case {
  readonly propagation: Propagation
  /** What becomes of it without a transaction around, and inside one. */
  readonly alone: Outcome
  readonly inside: Outcome
}

/** Whether the work runs on the connection around it, and which of its rows are there when it, or all, was rolled back. */
type Outcome =
  | 'is refused'
  /** It is a transaction, on a connection of its own. */
  | 'a transaction of its own'
  /** It has no transaction. */
  | 'no transaction'
  | 'part of the whole'
  | 'a savepoint in the whole'

const CASES: readonly Case[] = [
  { propagation: 'required', alone: 'a transaction of its own', inside: 'part of the whole' },
  { propagation: 'requires-new', alone: 'a transaction of its own', inside: 'a transaction of its own' },
  { propagation: 'nested', alone: 'a transaction of its own', inside: 'a savepoint in the whole' },
  { propagation: 'supports', alone: 'no transaction', inside: 'part of the whole' },
  { propagation: 'not-supported', alone: 'no transaction', inside: 'no transaction' },
  { propagation: 'mandatory', alone: 'is refused', inside: 'part of the whole' },
  { propagation: 'never', alone: 'no transaction', inside: 'is refused' },
]

const failure = new Error('of the work')

/** Runs work that inserts on its client and on the pool, and fails. */
async function runAndFail(pool: ReturnType<typeof openFakePool>['pool'], propagation: Propagation): Promise<unknown> {
  const work = pool.transaction(
    async (client) => {
      await client.query('insert client')
      await pool.use((other) => other.query('insert pool'))
      throw failure
    },
    { propagation },
  )
  return work.then(
    () => undefined,
    (error: unknown) => (error === failure ? 'failed' : (error as { code?: string }).code),
  )
}

describe.each(CASES)('a transaction that is $propagation', ({ propagation, alone, inside }) => {
  it(`is, outside of any: ${alone}`, async () => {
    const { pool, driver } = openFakePool()
    const told = await runAndFail(pool, propagation)
    expect(told).toBe(alone === 'is refused' ? 'LEASEHOLD_TRANSACTION_CONFLICT' : 'failed')
    expect(driver.rows).toEqual(alone === 'no transaction' ? ['client', 'pool'] : [])
    expect(pool.snapshot().connections.lent).toBe(0)
  })

  it(`is, inside another one: ${inside}`, async () => {
    const { pool, driver } = openFakePool()
    const rowsWhen: string[][] = []
    const told = await pool
      .transaction(async (outer) => {
        await outer.query('insert before')
        const inner = await runAndFail(pool, propagation)
        expect(inner).toBe(inside === 'is refused' ? 'LEASEHOLD_TRANSACTION_CONFLICT' : 'failed')
        rowsWhen.push([...driver.rows])
        await outer.query('insert after')
        return 'committed'
      })
      .catch((error: { code: string }) => error.code)

    const isDoomed = inside === 'part of the whole'
    expect(told).toBe(isDoomed ? 'LEASEHOLD_TRANSACTION_CONFLICT' : 'committed')
    const outside = inside === 'no transaction' ? ['client', 'pool'] : []
    expect(rowsWhen).toEqual([outside])
    expect(driver.rows).toEqual([...outside, ...(isDoomed ? [] : ['before', 'after'])])
    const sessions = inside === 'a transaction of its own' ? 2 : inside === 'no transaction' ? 3 : 1
    expect(driver.sessions).toHaveLength(sessions)
    expect(pool.snapshot().connections.lent).toBe(0)
  })
})

describe.each(CASES.filter(({ inside }) => inside !== 'is refused'))(
  'what $propagation has done',
  ({ propagation, inside }) => {
    it(`stays when the transaction around it is rolled back only if it was no part of that: ${inside}`, async () => {
      const { pool, driver } = openFakePool()
      await pool
        .transaction(async () => {
          await pool.transaction((client) => client.query('insert inner'), { propagation })
          throw failure
        })
        .catch(() => {})
      const isApart = inside === 'a transaction of its own' || inside === 'no transaction'
      expect(driver.rows).toEqual(isApart ? ['inner'] : [])
    })
  },
)
