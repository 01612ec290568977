import { openFakePool, settled, watched } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import { openScope, runInScope } from '../scope/scopes.js'
import type { TransactionOptions } from '../options/transaction-options.js'

const failure = new Error('of the work')
const ENDED = 'LEASEHOLD_TRANSACTION_ENDED'
const GRACE_MS = 2_000

/** What a server that hangs is asked, and how many statements it has answered before. */
const HANGING = [
  { statement: 'BEGIN', answered: 0 },
  { statement: 'COMMIT', answered: 2 },
] as const

describe.each(HANGING)('when the server never answers $statement, the caller is told', ({ answered }) => {
  function hang(options: TransactionOptions, deadlineMs?: number) {
    const fake = openFakePool({ closeGraceMs: GRACE_MS, max: 1, resetTimeoutMs: 5_000, closeTimeoutMs: 1_000 })
    fake.driver.script.next('query', ...Array.from({ length: answered }, () => 'ok' as const), 'never')
    // Nothing can be got out of such a server.
    for (const step of ['reset', 'quiesce', 'cancel', 'close'] as const) fake.driver.script.always(step, 'never')
    const transact = (): Promise<unknown> => fake.pool.transaction((client) => client.query('insert x'), options)
    const run =
      deadlineMs === undefined
        ? transact()
        : runInScope({ label: 'a request', deadlineMs, clock: fake.clock }, transact)
    return { ...fake, run: watched(run) }
  }

  it('at its deadline', async () => {
    const { run, clock, pool } = hang({ timeoutMs: 1_000 })
    await clock.advanceAsync(999)
    expect(run.outcome).toBe('pending')
    await clock.advanceAsync(1)
    expect(run.outcome).toBe(ENDED)
    expect(run.state).toMatchObject({ error: { isInDoubt: answered > 0 } })
    await clock.advanceAsync(10_000)
    expect(pool.snapshot().connections.total).toBe(0)
  })

  it('after the grace, when it has no deadline; but a commit is waited for, or it would be in doubt', async () => {
    const { run, clock, pool } = hang({})
    await clock.advanceAsync(GRACE_MS - 1)
    expect(run.outcome).toBe('pending')
    await clock.advanceAsync(1)
    expect(run.outcome).toBe(answered > 0 ? 'pending' : ENDED)
    await clock.advanceAsync(10_000)
    expect(pool.snapshot().connections.total).toBe(answered > 0 ? 1 : 0)
  })
})

describe('a commit that takes its time', () => {
  it.each([{ timeoutMs: 60_000 }, {}])('may take as long as %j allows, and is committed', async (options) => {
    const { pool, driver, clock } = openFakePool({ closeGraceMs: GRACE_MS })
    driver.script.next('query', 'ok', 'ok', 'slow')
    const run = watched(pool.transaction((client) => client.query('insert x'), options))
    await clock.advanceAsync(30_000)
    expect(run.outcome).toBe('pending')
    driver.script.open('query')
    await settled()
    expect([run.outcome, driver.rows]).toEqual(['fulfilled', ['x']])
  })

  it('is in doubt at the deadline of its scope', async () => {
    const { pool, driver, clock } = openFakePool({ closeGraceMs: GRACE_MS })
    driver.script.next('query', 'ok', 'ok', 'never')
    const scope = openScope({ label: 'a request', deadlineMs: 500, clock })
    const run = watched(scope.run(() => pool.transaction((client) => client.query('insert x'))))
    await clock.advanceAsync(500)
    expect(run.outcome).toBe(ENDED)
    expect(run.state).toMatchObject({
      error: { isInDoubt: true, message: expect.stringContaining('COMMIT') as unknown },
    })
    void scope.close()
    await clock.advanceAsync(10_000)
  })
})

describe('when the server never answers ROLLBACK, the error of the work comes', () => {
  it('at the deadline, or after the grace, and the connection is closed', async () => {
    for (const [timeoutMs, patienceMs] of [
      [500, 500],
      [60_000, GRACE_MS],
    ] as const) {
      const { pool, driver, clock } = openFakePool({ closeGraceMs: GRACE_MS })
      driver.script.next('query', 'ok', 'never')
      const run = watched(
        pool.transaction(
          () => {
            throw failure
          },
          { timeoutMs },
        ),
      )
      await clock.advanceAsync(patienceMs - 1)
      expect(run.outcome).toBe('pending')
      await clock.advanceAsync(1)
      expect(run.state).toEqual({ is: 'rejected', error: failure })
      await clock.advanceAsync(10_000)
      expect(pool.snapshot().connections.total).toBe(0)
    }
  })
})

describe('when a deadline passes while a statement runs', () => {
  it('the caller is told at once, and the rollback goes on without it, with its hooks after it', async () => {
    const { pool, driver, clock } = openFakePool({ closeGraceMs: GRACE_MS })
    let told = 0
    driver.script.next('query', 'ok', 'never')
    for (const step of ['cancel', 'quiesce', 'reset'] as const) driver.script.next(step, 'slow')
    const run = watched(
      pool.transaction(
        async (client, transaction) => {
          transaction.afterRollback(() => (told += 1))
          await client.query('insert x')
        },
        { timeoutMs: 100 },
      ),
    )
    await clock.advanceAsync(100)
    expect([run.outcome, told]).toEqual([ENDED, 0])
    driver.script.openAll()
    await clock.advanceAsync(20_000)
    expect(told).toBe(1)
    expect([driver.rows, pool.snapshot().connections.lent]).toEqual([[], 0])
  })
})

describe('a nested transaction', () => {
  it.each([
    { statement: 'SAVEPOINT', answered: 1 },
    { statement: 'RELEASE', answered: 3 },
  ])('is not waited for past its deadline when $statement is never answered', async ({ answered }) => {
    const { pool, driver, clock } = openFakePool({ closeGraceMs: 60_000 })
    driver.script.next('query', ...Array.from({ length: answered }, () => 'ok' as const), 'never')
    let inner: ReturnType<typeof watched> | undefined
    const run = watched(
      pool.transaction(
        async () => {
          const nested = pool.transaction((client) => client.query('insert x'), {
            propagation: 'nested',
            timeoutMs: 100,
          })
          inner = watched(nested)
          await nested
        },
        { timeoutMs: 1_000 },
      ),
    )
    await clock.advanceAsync(100)
    expect(inner?.outcome).toBe(ENDED)
    await clock.advanceAsync(900)
    expect(run.outcome).toBe(ENDED)
    await clock.advanceAsync(100_000)
    expect([driver.rows, pool.snapshot().connections.lent]).toEqual([[], 0])
  })

  it('whose own deadline passed is undone, and the outer one goes on without it', async () => {
    const { pool, driver, clock } = openFakePool()
    const run = watched(
      pool.transaction(async (client) => {
        await client.query('insert outer')
        const nested = pool.transaction(
          async (inner) => {
            await inner.query('insert inner')
            await new Promise(() => {})
          },
          { propagation: 'nested', timeoutMs: 100 },
        )
        await nested.catch(() => {})
      }),
    )
    await clock.advanceAsync(100)
    expect([run.outcome, driver.rows]).toEqual(['fulfilled', ['outer']])
  })
})

describe('a scope that ends while a transaction is open', () => {
  const ENDS = [
    { how: 'closes', end: (scope: ReturnType<typeof openScope>) => void scope.close() },
    { how: 'is aborted', end: (_scope: unknown, controller: AbortController) => controller.abort(new Error('gone')) },
    { how: 'passes its deadline', end: () => {} },
  ]

  it.each(ENDS)('that $how rolls it back and says so, though its work goes on and returns', async ({ how, end }) => {
    const { pool, driver, clock } = openFakePool({ closeGraceMs: GRACE_MS })
    const controller = new AbortController()
    const deadlineMs = how === 'passes its deadline' ? 1_000 : Number.POSITIVE_INFINITY
    const scope = openScope({ label: 'a request', signal: controller.signal, deadlineMs, clock })
    let goOn = (): void => {}
    const gate = new Promise<void>((resolve) => (goOn = resolve))
    const hooks: string[] = []
    const run = watched(
      scope.run(() =>
        pool.transaction(async (client, transaction) => {
          transaction.afterCommit(() => hooks.push('commit'))
          transaction.afterRollback(() => hooks.push('rollback'))
          await client.query('insert x')
          await gate
          return 'as if nothing had been'
        }),
      ),
    )
    await clock.advanceAsync(1_000)
    end(scope, controller)
    await clock.advanceAsync(0)
    await settled()
    expect(run.outcome).toBe(ENDED)
    expect(run.state).toMatchObject({ error: { message: expect.stringContaining('a request') as unknown } })
    goOn()
    await clock.advanceAsync(10_000)
    expect([driver.rows, hooks]).toEqual([[], ['rollback']])
    await scope.close()
    expect(pool.snapshot().connections.lent).toBe(0)
  })

  it('that ended before it was asked for has none', async () => {
    const { pool, driver } = openFakePool()
    const controller = new AbortController()
    controller.abort()
    const run = runInScope({ label: 'gone', signal: controller.signal }, () => pool.transaction(() => {}))
    await expect(run).rejects.toMatchObject({ code: 'LEASEHOLD_ABORTED' })
    expect(driver.calls).toEqual([])
  })
})
