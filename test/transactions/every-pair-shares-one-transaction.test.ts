import { findLeaseholdError } from '@leasehold/core'
import type { LeasedPgPool } from '@leasehold/pg'
import { beforeEach, describe, expect, it } from 'vitest'
import { type Member, MEMBERS } from './members.js'
import { useRows } from './use-rows.js'

const table = useRows()
const { rows } = table
let pool: LeasedPgPool

beforeEach(() => {
  pool = table.open({ max: 2 })
})

const failure = new Error('of the work')
const insert = (name: string): string => `insert into rows values ('${name}')`
const WHERE = 'select pg_backend_pid()::text || txid_current()::text as place'

const PAIRS = MEMBERS.flatMap((one) => MEMBERS.map((other) => ({ one, other })))

describe.each(PAIRS)('in one pool.transaction, $one.name and $other.name', (kinds) => {
  let one: Member
  let other: Member
  beforeEach(async () => {
    one = await kinds.one.open(pool)
    other = await kinds.other.open(pool)
  })

  it('run on one connection, in one transaction of the server, and what both did is committed together', async () => {
    const places: unknown[] = []
    await pool.transaction(async (client) => {
      places.push((await client.query(WHERE)).rows)
      for (const member of [one, other]) {
        await member.transaction(async (run) => void places.push(await run(WHERE)))
        places.push(await member.run(WHERE))
      }
      await one.transaction(async (run) => void (await run(insert('a'))))
      await other.transaction(async (run) => void (await run(insert('b'))))
      await one.run(insert('c'))
      await other.run(insert('d'))
      expect(await rows()).toBe('')
    })
    expect(new Set(places.map((place) => JSON.stringify(place))).size).toBe(1)
    expect(await rows()).toBe('a,b,c,d')
  })

  it('lose what the second rolled back, and nothing else', async () => {
    await pool.transaction(async () => {
      await one.transaction(async (run) => void (await run(insert('a'))))
      const rolledBack = other.transaction(async (run) => {
        await run(insert('b'))
        throw failure
      })
      await expect(rolledBack).rejects.toBe(failure)
      await one.run(insert('c'))
      await other.transaction(async (run) => void (await run(insert('d'))))
    })
    expect(await rows()).toBe('a,c,d')
  })

  it('lose all when the whole is rolled back, though each had committed', async () => {
    const whole = pool.transaction(async () => {
      await one.transaction(async (run) => void (await run(insert('a'))))
      await other.transaction(async (run) => void (await run(insert('b'))))
      await other.run(insert('c'))
      throw failure
    })
    await expect(whole).rejects.toBe(failure)
    expect(await rows()).toBe('')
  })

  it('go on after a statement of the second failed in its transaction, which is then nothing, caught or not', async () => {
    await pool.transaction(async () => {
      await one.transaction(async (run) => void (await run(insert('a'))))
      const failing = other.transaction(async (run) => {
        await run(insert('b'))
        await run('select 1/0')
      })
      await expect(failing).rejects.toThrow(/zero|1\/0/)
      const swallowing = other.transaction(async (run) => {
        await run(insert('c'))
        await run('select 1/0').catch(() => {})
      })
      await swallowing.catch(() => {})
      await one.transaction(async (run) => void (await run(insert('d'))))
    })
    expect(await rows()).toBe('a,d')
  })

  it('may lie in each other: what both committed is there', async () => {
    await pool.transaction(() =>
      one.transaction(async (run) => {
        await run(insert('a'))
        await other.transaction(async (inner) => void (await inner(insert('b'))))
        await run(insert('c'))
      }),
    )
    expect(await rows()).toBe('a,b,c')
  })

  it('may lie in each other: the second is part of the first, and undone with it', async () => {
    const whole = pool.transaction(async () => {
      const rolledBack = one.transaction(async () => {
        await other.transaction(async (inner) => void (await inner(insert('b'))))
        throw failure
      })
      await expect(rolledBack).rejects.toBe(failure)
    })
    // Between a BEGIN and a COMMIT that somebody sends, nobody can tell who belongs to it: nothing is lost unseen.
    if (kinds.one.name === 'pg') await expect(whole).rejects.toMatchObject({ code: 'LEASEHOLD_TRANSACTION_CONFLICT' })
    else await whole
    expect(await rows()).toBe('')
  })

  it('side by side are all there when all commit, or fail together', async () => {
    const both = (fails: boolean): Promise<unknown> =>
      pool.transaction(async () => {
        const settled = await Promise.allSettled([
          one.transaction(async (run) => {
            await run(insert('a'))
            await run(insert('b'))
          }),
          other.transaction(async (run) => {
            await run(insert('c'))
            if (fails) throw failure
            await run(insert('d'))
          }),
        ])
        const failed = settled.filter(({ status }) => status === 'rejected')
        if (!fails) expect(failed).toEqual([])
        return failed.length
      })
    const outcome = await both(true).then(
      () => 'committed',
      (error: { code?: string }) => error.code,
    )
    // Whether the first lay in the savepoint of the second is a matter of who came first.
    if (outcome === 'committed') expect(await rows()).toBe('a,b')
    else expect([outcome, await rows()]).toEqual(['LEASEHOLD_TRANSACTION_CONFLICT', ''])
    await table.outside.query('truncate rows')
    await both(false)
    expect(await rows()).toBe('a,b,c,d')
  })
})

describe.each(MEMBERS)('in a pool.transaction, a transaction of $name', (kind) => {
  const serializable = { level: 'serializable', named: 'Serializable' } as const
  const repeatable = { level: 'repeatable read', named: 'RepeatableRead' } as const

  it('is refused when it asks for another isolation, and runs when it asks for the same', async () => {
    const member = await kind.open(pool)
    await pool.transaction(
      async () => {
        let called = false
        const refused = member.transaction(async () => void (called = true), serializable)
        const error: unknown = await refused.catch((reason: unknown) => reason)
        expect(findLeaseholdError(error)).toMatchObject({ code: 'LEASEHOLD_TRANSACTION_CONFLICT' })
        expect(called).toBe(false)
        await member.transaction(async (run) => void (await run(insert('a'))), repeatable)
      },
      { isolation: 'repeatable read' },
    )
    expect(await rows()).toBe('a')
  })

  it('cannot be begun in the context of one that has ended: nothing is written', async () => {
    const member = await kind.open(pool)
    let go = (): void => {}
    const ended = new Promise<void>((resolve) => (go = resolve))
    let late: Array<Promise<unknown>> = []
    await pool.transaction(() => {
      late = [
        ended.then(() => member.run(insert('a'))),
        ended.then(() => member.transaction(async (run) => void (await run(insert('b'))))),
      ]
    })
    go()
    for (const outcome of await Promise.allSettled(late)) {
      const { reason } = outcome as { reason?: unknown }
      expect(findLeaseholdError(reason)).toMatchObject({ code: 'LEASEHOLD_TRANSACTION_ENDED' })
    }
    expect(await rows()).toBe('')
  })

  it('is run again with the whole when it met another one', async () => {
    const member = await kind.open(pool)
    let runs = 0
    await pool.transaction(
      () =>
        member.transaction(async (run) => {
          runs += 1
          await run(insert(`run ${runs}`))
          if (runs === 1) await run("do $$ begin raise exception 'met' using errcode = '40001'; end $$")
        }),
      { retries: 1 },
    )
    expect(await rows()).toBe('run 2')
  })
})
