import { findLeaseholdError } from '@leasehold/core'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Member, Run } from './members.js'
import { MEMBERS } from './members.js'
import { useStage } from './use-stage.js'

const stage = useStage()
beforeEach(() => stage.outside.query('truncate rows'))

const insert = (name: string): string => `insert into rows (name) values ('${name}')`

/** What the server would take, and what it would come to. */
const REFUSED: ReadonlyArray<{ readonly text: string; readonly because: string }> = [
  { text: `${insert('in between')}; commit; select 1`, because: 'it would commit the whole, unseen' },
  { text: `begin; ${insert('in between')}; rollback`, because: 'it would roll the whole back' },
  { text: 'commit and chain', because: 'it would commit the whole, and begin another one' },
  { text: 'rollback and chain', because: 'it would roll the whole back, and begin another one' },
  { text: "prepare transaction 'of somebody'", because: 'it would take the whole away from its session' },
  { text: 'vacuum rows', because: 'the server would fail it, and the whole with it' },
  { text: 'create index concurrently late on rows (name)', because: 'the server would fail it, and the whole with it' },
  { text: 'alter system set work_mem to default', because: 'the server would fail it, and the whole with it' },
]

async function refusal(sent: Promise<unknown>): Promise<string | undefined> {
  const error = await sent.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return findLeaseholdError(error)?.code
}

describe.each(MEMBERS.map(({ name }, by) => ({ name, by })))('in a pool.transaction, $name', ({ by }) => {
  let member: Member
  beforeEach(() => void (member = stage.member(by)))

  it.each(REFUSED)('does not send $text: $because', async ({ text }) => {
    await stage.pool.transaction(async () => {
      await member.run(insert('a'))
      expect(await refusal(member.run(text))).toBe('LEASEHOLD_TRANSACTION_CONFLICT')
      await member.transaction(async (run) => {
        await run(insert('b'))
        expect(await refusal(run(text))).toBe('LEASEHOLD_TRANSACTION_CONFLICT')
        await run(insert('c'))
      })
      expect(await stage.rows()).toEqual([])
      await member.run(insert('d'))
    })
    expect(await stage.rows()).toEqual(['a', 'b', 'c', 'd'])
  })

  it.each(['commits', 'rolls back'])(
    'takes what it has SET LOCAL inside its own with it when that %s',
    async (ends) => {
      const tenant = async (run: Run): Promise<unknown> => {
        const [row] = await run("select current_setting('app.tenant', true) as tenant")
        return (row as { tenant: unknown }).tenant
      }
      await stage.pool.transaction(async () => {
        await member.run("set local app.tenant to 'outer'")
        const own = member.transaction(async (run) => {
          await run("set local app.tenant to 'inner'")
          await run("select set_config('app.tenant', 'inner, again', true)")
          expect(await tenant(run)).toBe('inner, again')
          if (ends === 'rolls back') throw new Error('of the work')
        })
        expect(await own.catch((error: Error) => error.message)).toBe(ends === 'commits' ? undefined : 'of the work')
        expect(await tenant(member.run)).toBe('outer')
      })
      expect(await tenant(member.run)).not.toBe('outer')
    },
  )
})

// Prisma itself cannot read the answers to several.
describe.each(MEMBERS.map(({ name }, by) => ({ name, by })).filter(({ name }) => name !== 'Prisma'))(
  'in a pool.transaction, $name',
  ({ by }) => {
    it('sends several statements in one text that leave transactions alone', async () => {
      const member = stage.member(by)
      await stage.pool.transaction(async () => {
        await member.run(`${insert('a')}; ${insert('b')}`)
        await member.transaction(async (run) => void (await run(`${insert('c')}; ${insert('d')}`)))
      })
      expect(await stage.rows()).toEqual(['a', 'b', 'c', 'd'])
    })
  },
)
