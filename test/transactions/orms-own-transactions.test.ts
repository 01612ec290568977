import type { LeasedPgPool } from '@leasehold/pg'
import { describe, expect, it } from 'vitest'
import { MEMBERS } from './members.js'
import { useRows } from './use-rows.js'

const table = useRows()
const { rows } = table
let pool: LeasedPgPool

const failure = new Error('of the work')
const insert = (name: string): string => `insert into rows values ('${name}')`

const ORMS = MEMBERS.filter(({ name }) => name !== 'pg')
const PAIRS = ORMS.flatMap((own) => MEMBERS.map((other) => ({ own, other })))

describe.each(PAIRS)('with joinTransactions all, in a transaction of $own.name', ({ own, other }) => {
  it('$other.name joins on its root object, on a pool of one connection', async () => {
    pool = table.open({ max: 1, leasehold: { joinTransactions: 'all' } })
    const [one, two] = [await own.open(pool), await other.open(pool)]
    const work = (fails: boolean): Promise<void> =>
      one.transaction(async (run) => {
        await run(insert('own'))
        await one.run(insert('forgotten'))
        await two.run(insert('other'))
        await two.transaction(async (inner) => void (await inner(insert('inner'))))
        if (fails) throw failure
      })
    await expect(work(true)).rejects.toBe(failure)
    expect(await rows()).toBe('')
    await work(false)
    expect(await rows()).toBe('forgotten,inner,other,own')
  })
})

describe.each(ORMS)('with joinTransactions all, a transaction of $name', (kind) => {
  it('runs in the isolation that it asked for, and is refused another one inside', async () => {
    pool = table.open({ max: 1, leasehold: { joinTransactions: 'all' } })
    const member = await kind.open(pool)
    await member.transaction(
      async (run) => {
        const [shown] = await run(`select current_setting('transaction_isolation') as isolation`)
        expect(shown).toEqual({ isolation: 'serializable' })
      },
      { level: 'serializable', named: 'Serializable' },
    )
  })

  it('that did not begin never calls its callback', async () => {
    pool = table.open({ max: 1, leasehold: { joinTransactions: 'all', mode: 'statement' } })
    const member = await kind.open(pool)
    let called = false
    await expect(member.transaction(async () => void (called = true))).rejects.toBeInstanceOf(Error)
    expect(called).toBe(false)
  })
})

describe.each(PAIRS)('by default, in a transaction of $own.name', ({ own, other }) => {
  it('$other.name runs outside on its root object, which is reported once, with both sites', async () => {
    pool = table.open({ max: 3, leasehold: { captureSites: 'always' } })
    const [one, two] = [await own.open(pool), await other.open(pool)]
    const escapes: unknown[] = []
    pool.leases.on('transaction-escape', (escape) => escapes.push(escape))
    for (const name of ['one', 'two']) {
      const rolledBack = one.transaction(async (run) => {
        await run(insert(`${name} inside`))
        await two.run(insert(`${name} outside`))
        throw failure
      })
      await expect(rolledBack).rejects.toBe(failure)
    }
    expect(await rows()).toBe('one outside,two outside')
    await two.run(insert('after'))
    expect(escapes).toEqual([
      expect.objectContaining({
        label: 'outside any scope',
        site: expect.stringContaining('members.ts') as unknown,
        transaction: expect.stringContaining('members.ts') as unknown,
      }),
    ])
  })
})

describe.each(ORMS)('by default, a transaction of $name', (kind) => {
  it('that uses nothing but its own object is not reported, also when it is nested', async () => {
    pool = table.open({ max: 3 })
    const member = await kind.open(pool)
    const escapes: unknown[] = []
    pool.leases.on('transaction-escape', (escape) => escapes.push(escape))
    await member.transaction(async (run) => {
      await run(insert('inside'))
      await pool.leases.transaction(() => {}, { propagation: 'supports' })
    })
    expect(escapes).toHaveLength(1)
    escapes.length = 0
    await member.transaction(async (run) => void (await run(insert('again'))))
    expect(escapes).toEqual([])
  })
})
