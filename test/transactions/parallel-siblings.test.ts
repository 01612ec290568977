import { beforeEach, describe, expect, it } from 'vitest'
import { MEMBERS, type Member, type Work } from './members.js'
import { useStage } from './use-stage.js'

/** The transaction around them: one that is declared, with the outer ORM's in it, or the outer ORM's by itself. */
const declared = useStage({ max: 3, connectionTimeoutMillis: 2_000 })
const all = useStage({ max: 3, connectionTimeoutMillis: 2_000, leasehold: { joinTransactions: 'all' } })
const WAYS = [
  { where: 'in a pool.transaction', stage: declared },
  { where: 'with joinTransactions all', stage: all },
]

const failure = new Error('of the work')
const insert = (name: string): string => `insert into rows (name) values ('${name}')`

const ORMS = MEMBERS.flatMap(({ name }, by) => (name === 'pg' ? [] : [{ name, by }]))
const TRIPLES = WAYS.flatMap((way) =>
  ORMS.flatMap((outer) => ORMS.flatMap((a) => ORMS.map((b) => ({ ...way, outer, a, b })))),
)

/** Two rows, one after the other, and what comes then. */
const writes =
  (name: string, end?: () => unknown): Work =>
  async (run) => {
    await run(insert(`${name}1`))
    await run(insert(`${name}2`))
    await end?.()
  }
const fail = (): never => {
  throw failure
}

describe.each(TRIPLES)('$where, inside $outer.name, $a.name beside $b.name', ({ stage, ...kinds }) => {
  let outer: Member
  let a: Member
  let b: Member
  beforeEach(async () => {
    await stage.outside.query('truncate rows')
    outer = stage.member(kinds.outer.by)
    a = stage.member(kinds.a.by)
    b = stage.member(kinds.b.by)
  })
  const inOuter = (work: Work): Promise<void> =>
    stage === all ? outer.transaction(work) : stage.pool.transaction(() => outer.transaction(work))

  it('both commit, and all is there', async () => {
    await inOuter(async (run) => {
      await Promise.all([a.transaction(writes('a')), b.transaction(writes('b'))])
      await run(insert('outer'))
    })
    expect(await stage.rows()).toEqual(['a1', 'a2', 'b1', 'b2', 'outer'])
  })

  it.each(['a', 'b'])('%s rolls back, and what the other did is there', async (which) => {
    await inOuter(async (run) => {
      const ends = await Promise.allSettled([
        a.transaction(writes('a', which === 'a' ? fail : undefined)),
        b.transaction(writes('b', which === 'b' ? fail : undefined)),
      ])
      const told = ends.map((end) => (end.status === 'fulfilled' ? 'fulfilled' : (end.reason as unknown)))
      expect(told).toEqual(which === 'a' ? [failure, 'fulfilled'] : ['fulfilled', failure])
      await run(insert('outer'))
    })
    expect(await stage.rows()).toEqual(which === 'a' ? ['b1', 'b2', 'outer'] : ['a1', 'a2', 'outer'])
  })

  it('one awaits what the other is to give it, and all is there', async () => {
    let memo: Promise<void> | undefined
    const once = (): Promise<void> => (memo ??= b.transaction(writes('b')))
    await inOuter(async () => {
      await Promise.all([a.transaction(writes('a', once)), once()])
    })
    expect(await stage.rows()).toEqual(['a1', 'a2', 'b1', 'b2'])
  })

  it('one awaits a root statement and one of the outer object, and all is there', async () => {
    await inOuter(async (run) => {
      const early = outer.run(insert('early'))
      await Promise.all([
        a.transaction(writes('a', () => Promise.all([early, run(insert('of the outer'))]))),
        b.transaction(writes('b', () => b.run(insert('root')))),
      ])
    })
    expect(await stage.rows()).toEqual(['a1', 'a2', 'b1', 'b2', 'early', 'of the outer', 'root'])
  })
})
