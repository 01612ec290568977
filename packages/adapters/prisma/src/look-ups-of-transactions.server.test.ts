import { expect, test } from 'vitest'
import { usePrisma } from './testing/use-prisma.js'

const tests = usePrisma()

test('look-ups of several transactions of the pool that come in one tick run each in its own', async () => {
  const { pool, prisma } = tests.open({ pool: { max: 3 } })
  let arrived = 0
  let meet = (): void => {}
  const all = new Promise<void>((resolve) => (meet = resolve))
  const failure = new Error('of the work')
  const seen = new Map<number, string | undefined>()
  const readOwn = (id: number): Promise<unknown> =>
    pool.transaction(async (client) => {
      await client.query('insert into accounts (id, owner) values ($1, $2)', [id, `transaction ${id}`])
      arrived += 1
      if (arrived === 3) meet()
      await all
      const account = await prisma.account.findUnique({ where: { id } })
      seen.set(id, account?.owner)
      throw failure
    })
  const ids = [2_001, 2_002, 2_003]
  const settled = await Promise.allSettled(ids.map(readOwn))
  expect(settled.map((outcome) => (outcome as { reason?: unknown }).reason)).toEqual([failure, failure, failure])
  expect(ids.map((id) => seen.get(id))).toEqual(ids.map((id) => `transaction ${id}`))
})
