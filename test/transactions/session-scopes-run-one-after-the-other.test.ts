import { findLeaseholdError, runInScope } from '@leasehold/core'
import type { LeasedPgPool } from '@leasehold/pg'
import { beforeEach, describe, expect, it } from 'vitest'
import { MEMBERS } from './members.js'
import { useRows } from './use-rows.js'
import { insert, writeRows } from './write-rows.js'

const table = useRows()
let pool: LeasedPgPool

beforeEach(() => {
  pool = table.open({ max: 2 })
})

const inSession = <T>(work: () => Promise<T>): Promise<T> => runInScope({ label: 'GET /', mode: 'session' }, work)

const isConflict = (error: unknown): boolean => findLeaseholdError(error)?.code === 'LEASEHOLD_TRANSACTION_CONFLICT'

const ORMS = MEMBERS.filter(({ name }) => name !== 'pg')
const PAIRS = ORMS.flatMap((one) => ORMS.map((other) => ({ one, other })))

describe.each(PAIRS)('in a scope of mode session, transactions of $one.name and $other.name side by side', (kinds) => {
  it('run one after the other: each has what it committed, and no more', async () => {
    const [one, other] = [await kinds.one.open(pool), await kinds.other.open(pool)]
    await inSession(async () => {
      const settled = await Promise.allSettled([
        writeRows(one, 'a', true),
        writeRows(other, 'b', false),
        pool.transaction((client) => client.query(insert('declared'))),
        writeRows(one, 'c', true),
        writeRows(other, 'd', false),
      ])
      expect(settled.map(({ status }) => status)).toEqual([
        'rejected',
        'fulfilled',
        'fulfilled',
        'rejected',
        'fulfilled',
      ])
    })
    expect(await table.rows()).toBe('b first,b second,b third,d first,d second,d third,declared')
  })

  it('are refused at once, one inside the other: both would wait for ever', async () => {
    const [one, other] = [await kinds.one.open(pool), await kinds.other.open(pool)]
    await inSession(() =>
      one.transaction(async (run) => {
        await run(insert('outer'))
        await expect(writeRows(other, 'inner', false)).rejects.toSatisfy(isConflict)
      }),
    )
    expect(await table.rows()).toBe('outer')
  })
})
