import { createPgPool, type LeasedPgPool } from '@leasehold/pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Member, MEMBERS } from './members.js'
import { useStage } from './use-stage.js'

const stage = useStage({ leasehold: { name: 'orders' } })
let other: LeasedPgPool
beforeEach(async () => {
  await stage.outside.query('truncate rows')
  other = createPgPool({ connectionString: stage.url, leasehold: { name: 'audit' } })
})
afterEach(() => other.close({ deadlineMs: 200 }))

const failure = new Error('of the work')
const insert = (name: string): string => `insert into rows (name) values ('${name}')`

describe.each(MEMBERS.map((kind, by) => ({ ...kind, by })))(
  'inside a transaction of one pool, $name',
  ({ open, by }) => {
    let onOther: Member
    beforeEach(async () => void (onOther = await open(other)))

    it('on another pool is no part of it: what it did stays when that is rolled back', async () => {
      const run = stage.pool.transaction(async () => {
        await stage.member(by).run(insert('of the pool'))
        await onOther.run(insert('a'))
        await onOther.transaction(async (inner) => void (await inner(insert('b'))))
        await other.transaction(() => onOther.run(insert('c')))
        throw failure
      })
      await expect(run).rejects.toBe(failure)
      expect(await stage.rows()).toEqual(['a', 'b', 'c'])
    })

    it('on another pool is refused when it must be part of it: one error that names both', async () => {
      await stage.pool.transaction(async () => {
        const refused = other.transaction(() => onOther.run(insert('never')), { propagation: 'mandatory' })
        await expect(refused).rejects.toMatchObject({
          code: 'LEASEHOLD_TRANSACTION_CONFLICT',
          pool: 'audit',
          otherPool: 'orders',
        })
      })
      expect(await stage.rows()).toEqual([])
    })
  },
)
