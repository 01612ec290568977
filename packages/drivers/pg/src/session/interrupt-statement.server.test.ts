import { isLeaseholdError, type LeaseholdError, openScope, runInScope, type Scope } from '@leasehold/core'
import { usePostgres } from '@leasehold/testkit/postgres'
import Cursor from 'pg-cursor'
import { Socket } from 'node:net'
import { Client } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { usePools } from '../testing/leased-pool.js'

const database = usePostgres()
const poolOf = usePools(database)
let admin: Client

beforeAll(async () => {
  admin = new Client(database.url)
  await admin.connect()
  await admin.query('create table notes (id int)')
})

beforeEach(() => admin.query('truncate notes'))

afterAll(() => admin.end())

const reasonOf = (promise: Promise<unknown>): Promise<LeaseholdError> =>
  promise.then(
    () => {
      throw new Error('it was not refused')
    },
    (error: unknown) => error as LeaseholdError,
  )

/** Statements at work on the server with this mark in their text. */
async function atWork(mark: string): Promise<number> {
  const { rows } = await admin.query<{ n: number }>(
    `select count(*)::int as n from pg_stat_activity where state = 'active' and query like $1 and pid <> pg_backend_pid()
     and datname = current_database()`,
    [`%${mark}%`],
  )
  return rows[0]?.n ?? -1
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await condition()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('it has not come to be')
}

describe('a statement that runs', () => {
  const ends: Array<[string, (scope: Scope, controller: AbortController) => unknown, object, 'signal' | 'closed']> = [
    ['its signal aborts', (_scope, controller) => controller.abort(new Error('gone')), {}, 'signal'],
    ['it is closed with a reason', (scope) => scope.close(new Error('the client hung up')), {}, 'closed'],
  ]

  it.each(ends)('is cancelled on the server when %s, and its caller knows at once', async (_, end, options, why) => {
    const pool = poolOf({ max: 1 })
    const controller = new AbortController()
    const scope = openScope({ label: 'GET /slow', signal: controller.signal, ...options })
    const slow = reasonOf(scope.run(() => pool.query('select pg_sleep(20) as abort_me')))
    await until(async () => (await atWork('abort_me')) === 1)

    const since = performance.now()
    void end(scope, controller)
    const error = await slow

    expect(performance.now() - since).toBeLessThan(5_000)
    expect(error).toMatchObject({ code: 'LEASEHOLD_ABORTED', phase: 'statement', why, inTransaction: false })
    await until(async () => (await atWork('abort_me')) === 0)
    await scope.close()
    expect((await pool.query<{ n: number }>('select 1 as n')).rows).toEqual([{ n: 1 }])
    expect(pool.snapshot()).toMatchObject({ counts: { opened: 1, leaks: { 'left-over': 0 } } })
  })

  it('is cancelled when its scope’s deadline passes, and says that it is worth another try', async () => {
    const pool = poolOf({ max: 1 })
    await pool.query('select 1')

    const error = await reasonOf(
      runInScope({ label: 'GET /slow', deadlineMs: 300 }, () => pool.query('select pg_sleep(20)')),
    )

    expect(error).toMatchObject({ code: 'LEASEHOLD_ABORTED', why: 'deadline', statusCode: 503 })
    expect(error.message).toContain('the deadline of scope "GET /slow" has passed')
  })

  it('is cancelled after queryTimeoutMs, in a scope or in none, and others are not', async () => {
    const pool = poolOf({ max: 2, leasehold: { queryTimeoutMs: 100 } })

    const [error] = await Promise.all([
      reasonOf(pool.query('select pg_sleep(20)')),
      (async () => {
        for (let count = 0; count < 10; count += 1) await pool.query('select pg_sleep(0.03)')
      })(),
    ])

    expect(error).toMatchObject({ code: 'LEASEHOLD_ABORTED', why: 'query-timeout' })
    expect(error.message).toContain('it ran for more than 100 ms')
    expect(pool.snapshot().counts).toMatchObject({ opened: 2 })
  })

  it('may run to its end where its scope or its pool says so', async () => {
    const pool = poolOf({ max: 1 })
    const lenient = poolOf({ max: 1, leasehold: { cancelOnAbort: false } })
    const slow = async (of: typeof pool, options: object): Promise<void> => {
      const scope = openScope({ label: 'write', ...options })
      const answer = scope.run(() => of.query('insert into notes select 1 from pg_sleep(0.2)'))
      // Looked at in the end: it may fail before.
      const outcome = Promise.allSettled([answer])
      await until(async () => (await atWork('insert into notes')) === 1)
      void scope.close(new Error('the client hung up'))
      await outcome
      await answer
    }

    await slow(pool, { cancelOnAbort: false })
    await slow(lenient, {})
    await expect(slow(lenient, { cancelOnAbort: true })).rejects.toMatchObject({ code: 'LEASEHOLD_ABORTED' })

    expect((await admin.query('select * from notes')).rowCount).toBe(2)
  })

  it('may run to its end when its scope ends in good order', async () => {
    const pool = poolOf({ max: 1 })
    const scope = openScope({ label: 'GET /' })
    const audit = scope.run(() => pool.query('insert into notes select 1 from pg_sleep(0.2)'))
    await until(async () => (await atWork('insert into notes')) === 1)

    await scope.close()
    await audit

    expect((await admin.query('select * from notes')).rowCount).toBe(1)
  })

  it('is not cancelled for a scope inside one that ended in good order', async () => {
    const pool = poolOf({ max: 1 })
    const outer = openScope({ label: 'GET /' })
    const inner = outer.run(() =>
      runInScope({ label: 'audit' }, () => pool.query('insert into notes select 1 from pg_sleep(0.2)')),
    )
    await until(async () => (await atWork('insert into notes')) === 1)

    await outer.close()
    await inner

    expect((await admin.query('select * from notes')).rowCount).toBe(1)
  })

  it('takes those with it that wait behind it on the same lease', async () => {
    const pool = poolOf({ max: 1 })
    const scope = openScope({ label: 'three at once' })
    const all = scope.run(async () => {
      const client = await pool.connect()
      try {
        return await Promise.allSettled([1, 2, 3].map(() => client.query('select pg_sleep(5)')))
      } finally {
        client.release()
      }
    })
    await until(async () => (await atWork('pg_sleep')) === 1)

    void scope.close(new Error('gone'))

    expect((await all).map((one) => one.status === 'rejected' && isLeaseholdError(one.reason))).toEqual([
      true,
      true,
      true,
    ])
  })

  it('is cancelled while its settings are on their way, too', async () => {
    const pool = poolOf({ max: 1 })
    await pool.query('select 1')
    const scope = openScope({ label: 'settings', settings: { 'app.tenant_id': '1' } })
    const slow = reasonOf(scope.run(() => pool.query('select pg_sleep(5); select 1')))
    await new Promise((resolve) => setImmediate(resolve))

    void scope.close(new Error('gone'))

    expect(await slow).toMatchObject({ code: 'LEASEHOLD_ABORTED' })
    await scope.close()
    expect((await pool.query<{ t: string }>(`select current_setting('app.tenant_id', true) t`)).rows[0]?.t).toBeFalsy()
  })

  it.each([
    ['a text', (run: (text: string) => Promise<unknown>) => run('select pg_sleep(5)')],
    [
      'a prepared statement',
      (run: (text: object) => Promise<unknown>) => run({ name: 'nap', text: 'select pg_sleep($1)', values: [5] }),
    ],
    ['several in one text', (run: (text: string) => Promise<unknown>) => run('select 1; select pg_sleep(5); select 2')],
  ])('fails once, whatever its form is: %s', async (_, send) => {
    const pool = poolOf({ max: 1 })
    const scope = openScope({ label: 'forms' })
    const slow = reasonOf(scope.run(() => send((statement: string | object) => pool.query(statement as string))))
    await until(async () => (await atWork('pg_sleep')) === 1)

    void scope.close(new Error('gone'))

    expect(await slow).toMatchObject({ code: 'LEASEHOLD_ABORTED' })
    await scope.close()
    const { rows } = await pool.query('select 1 as one')
    expect(rows).toEqual([{ one: 1 }])
    expect(pool.snapshot().counts.opened).toBe(1)
  })

  it('may be the read of a cursor, which hears of it', async () => {
    const pool = poolOf({ max: 1 })
    const scope = openScope({ label: 'cursor' })
    const read = scope.run(async () => {
      const client = await pool.connect()
      const cursor = client.query(new Cursor('select pg_sleep(5)'))
      try {
        return await reasonOf(cursor.read(1))
      } finally {
        client.release()
      }
    })
    await until(async () => (await atWork('pg_sleep')) === 1)

    void scope.close(new Error('gone'))

    expect(await read).toMatchObject({ code: 'LEASEHOLD_ABORTED' })
    await scope.close()
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  it('may be a COPY, which waits for its client', async () => {
    const pool = poolOf({ max: 1 })
    const scope = openScope({ label: 'copy' })
    const failed = scope.run(async () => {
      const client = await pool.connect()
      const stream = client.query(copyFrom('copy notes from stdin'))
      const error = reasonOf(new Promise((resolve, reject) => void stream.on('error', reject).on('finish', resolve)))
      stream.write('1\n')
      const why = await error
      client.release()
      return why
    })
    await until(async () => (await atWork('copy notes')) === 1)

    void scope.close(new Error('gone'))

    expect(await failed).toMatchObject({ code: 'LEASEHOLD_ABORTED' })
    await scope.close()
    expect((await pool.query('select * from notes')).rowCount).toBe(0)
  })
})

describe('a transaction whose scope aborts', () => {
  it('is rolled back, says so, and takes nothing more', async () => {
    const pool = poolOf({ max: 1 })
    const seen: unknown[] = []
    const controller = new AbortController()
    const work = runInScope({ label: 'transfer', signal: controller.signal }, async () => {
      const client = await pool.connect()
      try {
        await client.query('begin')
        await client.query('insert into notes values (1)')
        seen.push(await reasonOf(client.query('select pg_sleep(20)')))
        seen.push(await reasonOf(client.query('insert into notes values (2)')))
        seen.push(await reasonOf(client.query('commit')))
        await client.query('rollback')
      } finally {
        client.release()
      }
    })
    await until(async () => (await atWork('pg_sleep')) === 1)

    controller.abort(new Error('gone'))
    await work

    expect(seen).toEqual(Array(3).fill(expect.objectContaining({ code: 'LEASEHOLD_ABORTED', inTransaction: true })))
    expect(String(seen[0])).toContain('the transaction that it was part of is rolled back')
    expect((await admin.query('select * from notes')).rowCount).toBe(0)
  })

  it('is rolled back when it was declared, also between two statements', async () => {
    const pool = poolOf({ max: 1 })
    // By its statement's error, or by the end of the transaction, whichever comes first.
    const ENDED = expect.stringMatching(/^LEASEHOLD_(?:ABORTED|TRANSACTION_ENDED)$/) as string
    for (const pause of [true, false]) {
      const controller = new AbortController()
      const work = runInScope({ label: 'transfer', signal: controller.signal }, () =>
        pool.transaction(async (client) => {
          await client.query('insert into notes values (1)')
          if (pause) controller.abort(new Error('gone'))
          else setTimeout(() => controller.abort(new Error('gone')), 50)
          await client.query(pause ? 'insert into notes values (2)' : 'select pg_sleep(20)')
        }),
      )
      await expect(work).rejects.toMatchObject({ code: ENDED })
    }
    await expect(
      runInScope({ label: 'commit', deadlineMs: 300 }, () =>
        pool.transaction(async (client) => {
          await client.query('insert into notes values (3)')
          await new Promise((resolve) => setTimeout(resolve, 400))
        }),
      ),
    ).rejects.toMatchObject({ code: ENDED })

    expect((await admin.query('select * from notes')).rowCount).toBe(0)
    // Whatever is still to be cleaned holds the only connection up.
    await pool.query('select 1')
    expect(pool.snapshot()).toMatchObject({ connections: { lent: 0, idle: 1 }, counts: { opened: 1 } })
  })

  it('ends only what is its own: a joined part of it takes no statement of the whole along', async () => {
    const pool = poolOf({ max: 1 })
    const inner = new AbortController()

    await pool.transaction(async (client) => {
      const outer = client.query('select pg_sleep(0.3)')
      const part = reasonOf(runInScope({ label: 'part', signal: inner.signal }, () => pool.query('select 1')))
      setTimeout(() => inner.abort(new Error('gone')), 100)
      await outer
      expect(await part).toMatchObject({ code: 'LEASEHOLD_ABORTED' })
      await client.query('insert into notes values (1)')
    })

    expect((await admin.query('select * from notes')).rowCount).toBe(1)
  })
})

it('a cancel that comes late hits nothing: what comes next waits for it', async () => {
  let sockets = 0
  class LateSocket extends Socket {
    override connect(...to: unknown[]): this {
      sockets += 1
      setTimeout(() => super.connect(...(to as [number, string])), sockets === 1 ? 0 : 200)
      return this
    }
  }
  const pool = poolOf({ max: 1, stream: () => new LateSocket(), leasehold: { queryTimeoutMs: 300 } })
  const client = await pool.connect()

  const error = await reasonOf(client.query('select pg_sleep(0.35)'))
  for (let count = 0; count < 5; count += 1) await client.query('select pg_sleep(0.1)')
  client.release()
  await pool.query('select 1')

  expect(error).toMatchObject({ why: 'query-timeout' })
  expect(sockets).toBe(2)
})

it('a cancel never hits the next owner: 200 at random, on connections that others use meanwhile', async () => {
  const pool = poolOf({ max: 3, leasehold: { acquireTimeoutMs: 30_000 } })
  const failures: unknown[] = []
  let served = 0
  const work = { isOver: false }
  const others = [1, 2, 3].map(async (number) => {
    while (!work.isOver) {
      const { rows } = await pool.query<{ n: number }>('select $1::int as n', [number]).catch((error: unknown) => {
        failures.push(error)
        return { rows: [] }
      })
      if (rows[0]?.n === number) served += 1
      else failures.push(rows)
    }
  })
  const cancelled = { number: 0 }
  for (let round = 0; round < 50; round += 1) {
    await Promise.all(
      [0, 1, 2, 3].map(async (number) => {
        const scope = openScope({ label: `round ${round}` })
        const statement = `select pg_sleep(${(((round * 7 + number * 3) % 10) / 1_000).toFixed(3)})`
        const answer = scope
          .run(() => pool.query(statement))
          .then(
            () => undefined,
            (error: unknown) => error,
          )
        setTimeout(() => void scope.close(new Error('gone')), (round * 3 + number * 5) % 12)
        const error = await answer
        if (error === undefined) return
        cancelled.number += 1
        if (!isLeaseholdError(error)) failures.push(error)
      }),
    )
  }
  work.isOver = true
  await Promise.all(others)

  expect(failures).toEqual([])
  expect(cancelled.number).toBeGreaterThan(20)
  expect(served).toBeGreaterThan(20)
  expect(pool.snapshot()).toMatchObject({
    connections: { lent: 0 },
    counts: { closed: { 'reset-failed': 0, lost: 0 } },
  })
}, 60_000)
