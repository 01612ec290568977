import {
  type AcquireTimeoutError,
  findLeaseholdError,
  type LeaseholdError,
  runInScope,
  type SelfDeadlockError,
} from '@leasehold/core'
import { createPgPool, type LeasedPgPool } from '@leasehold/pg'
import { usePostgres } from '@leasehold/testkit/postgres'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Member, MEMBERS } from '../transactions/members.js'

const postgres = usePostgres()
let pool: LeasedPgPool

beforeEach(() => {
  pool = createPgPool({
    connectionString: postgres.url,
    max: 1,
    leasehold: { acquireTimeoutMs: 400, captureSites: 'always' },
  })
})
afterEach(async () => {
  expect(pool.snapshot()).toMatchObject({ connections: { lent: 0 }, waiting: { count: 0 } })
  await pool.close({ deadlineMs: 200 })
})

/** A line of these tests. */
const HERE: unknown = expect.stringMatching(/members\.ts|an-orm-waits-for-itself\.test\.ts/)

async function failureOf(work: Promise<unknown>): Promise<LeaseholdError> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  const found = findLeaseholdError(error)
  if (found === undefined) throw new Error('it did not fail, or not by a refusal', { cause: error })
  return found
}

describe.each(MEMBERS)('on a pool of one, $name', ({ name, open }) => {
  let member: Member
  beforeEach(async () => {
    member = await open(pool)
  })

  it('joins the transaction around it, on its root object and with transactions of its own, in place of waiting', async () => {
    await pool.transaction(async () => {
      expect(await member.run('select 1 as one')).toEqual([{ one: 1 }])
      await member.transaction(async (run) => {
        expect(await run('select 1 as one')).toEqual([{ one: 1 }])
        // The query on the root object that should have gone through the transaction: knex #1380, prisma #12277.
        expect(await member.run('select 1 as one')).toEqual([{ one: 1 }])
      })
    })
  })

  it('is refused at once where the calls around it hold the one connection, and both places are named', async () => {
    const failure = await failureOf(runInScope({ label: 'GET /orders' }, () => pool.use(() => member.run('select 1'))))

    expect(failure).toMatchObject({
      code: 'LEASEHOLD_SELF_DEADLOCK',
      isAlone: true,
      holders: [{ label: 'GET /orders', site: HERE, askedSite: HERE }],
    })
  })

  it('learns that the transaction of its own holds the connection for which it waits', async () => {
    const failure = await failureOf(
      runInScope({ label: 'GET /orders' }, () => member.transaction(async () => void (await member.run('select 1')))),
    )
    if (name !== 'pg') {
      expect(failure).toMatchObject({ code: 'LEASEHOLD_SELF_DEADLOCK', isAlone: true })
      expect((failure as SelfDeadlockError).holders).toMatchObject([
        { label: 'GET /orders', site: HERE, askedSite: HERE },
      ])
      return
    }
    // A transaction without a callback is no frame: it is only probable, and told when the deadline has passed.
    expect(failure).toMatchObject({ code: 'LEASEHOLD_ACQUIRE_TIMEOUT' })
    expect((failure as AcquireTimeoutError).ownHolders).toMatchObject([{ label: 'GET /orders', site: HERE }])
    expect(failure.message).toContain('probably by the caller itself: GET /orders')
  })
})
