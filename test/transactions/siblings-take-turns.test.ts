import { createKnex } from '@leasehold/knex'
import type { LeasedPgPool } from '@leasehold/pg'
import { beforeEach, describe, expect, it } from 'vitest'
import { type Member, type MemberKind, MEMBERS } from './members.js'
import { useRows } from './use-rows.js'
import { failure, insert, writeRows } from './write-rows.js'

const table = useRows()
const { rows } = table
let pool: LeasedPgPool

beforeEach(() => {
  pool = table.open({ max: 2 })
})

const ORMS = MEMBERS.filter(({ name }) => name !== 'pg')
const TRIPLES = ORMS.flatMap((outer) => ORMS.flatMap((one) => ORMS.map((other) => ({ outer, one, other }))))

async function opened<Kinds extends Record<string, MemberKind>>(kinds: Kinds): Promise<Record<keyof Kinds, Member>> {
  const pairs = await Promise.all(Object.entries(kinds).map(async ([name, kind]) => [name, await kind.open(pool)]))
  return Object.fromEntries(pairs) as Record<keyof Kinds, Member>
}

describe.each(TRIPLES)('inside $outer.name, $one.name and $other.name side by side', (kinds) => {
  it('each have what they committed, and lose what they rolled back, and the other does not', async () => {
    const { outer, one, other } = await opened(kinds)
    await pool.transaction(() =>
      outer.transaction(async (run) => {
        await run(insert('outer'))
        const settled = await Promise.allSettled([
          writeRows(one, 'a', true),
          writeRows(other, 'b', false),
          writeRows(one, 'c', false),
        ])
        expect(settled.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
      }),
    )
    expect(await rows()).toBe('b first,b second,b third,c first,c second,c third,outer')
  })

  it('are all undone by an outer rollback', async () => {
    const { outer, one, other } = await opened(kinds)
    await pool.transaction(async () => {
      const undone = outer.transaction(async (run) => {
        await run(insert('outer'))
        await Promise.all([writeRows(one, 'a', false), writeRows(other, 'b', false)])
        throw failure
      })
      await expect(undone).rejects.toBe(failure)
    })
    expect(await rows()).toBe('')
  })
})

describe.each(ORMS)('inside a transaction of $name', (kind) => {
  it('a child may use the outer object, and await what the outer does', async () => {
    const outer = await kind.open(pool)
    await pool.transaction(() =>
      outer.transaction(async (run) => {
        await outer.transaction(async (inner) => {
          await inner(insert('inner'))
          await run(insert('outer, by the child'))
        })
      }),
    )
    expect(await rows()).toBe('inner,outer, by the child')
  })

  it('a child may await a statement of its parent that comes after it, or its sibling: it goes on after a moment', async () => {
    const member = await kind.open(pool)
    const since = performance.now()
    await pool.transaction(async () => {
      const awaited: { statement?: Promise<unknown>; sibling?: Promise<unknown> } = {}
      const child = member.transaction(async (run) => {
        await run(insert('child'))
        await awaited.statement
        await awaited.sibling
      })
      awaited.statement = member.run(insert('parent'))
      awaited.sibling = member.transaction(async (run) => void (await run(insert('sibling'))))
      await Promise.all([child, awaited.statement, awaited.sibling])
    })
    expect(await rows()).toBe('child,parent,sibling')
    expect(performance.now() - since).toBeLessThan(2_000)
  })

  it('what was let in by a child that then rolls back is never lost unseen', async () => {
    const member = await kind.open(pool)
    let statement: Promise<unknown> | undefined
    const whole = pool.transaction(async () => {
      const child = member.transaction(async (run) => {
        await run(insert('child'))
        await statement
        throw failure
      })
      statement = member.run(insert('parent'))
      await Promise.allSettled([child, statement])
    })
    await expect(whole).rejects.toMatchObject({ code: 'LEASEHOLD_TRANSACTION_CONFLICT' })
    expect(await rows()).toBe('')
  })

  it('a callback is not part of a transaction that has ended, and neither is what it leaves behind', async () => {
    const member = await kind.open(pool)
    let go = (): void => {}
    const gate = new Promise<void>((resolve) => (go = resolve))
    let late: Promise<unknown> = Promise.resolve()
    await pool.transaction(async () => {
      await member.transaction(async (run) => {
        await run(insert('in time'))
        late = gate.then(() => pool.query(insert('late')))
        late.catch(() => {})
      })
      go()
      await expect(late).rejects.toMatchObject({ code: 'LEASEHOLD_TRANSACTION_ENDED' })
    })
    expect(await rows()).toBe('in time')
  })
})

describe('a stream that is read in a transaction', () => {
  it('is named by the statement that was awaited between two of its rows, within its deadline', async () => {
    const short = table.open({ max: 2, leasehold: { acquireTimeoutMs: 300 } })
    const db = createKnex(short, { log: { warn() {}, error() {} } })
    const since = performance.now()
    const run = short.transaction(async () => {
      const stream = db.raw('select generate_series(1, 10000) as n').stream({ highWaterMark: 1 })
      for await (const row of stream) {
        void row
        await db.raw(insert('between'))
      }
    })
    await expect(run).rejects.toMatchObject({
      code: 'LEASEHOLD_ACQUIRE_TIMEOUT',
      message: expect.stringContaining('generate_series') as unknown,
    })
    expect(performance.now() - since).toBeLessThan(3_000)
    expect(await rows()).toBe('')
    await short.close()
  })
})
