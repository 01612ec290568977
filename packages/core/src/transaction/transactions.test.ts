import { openFakePool, settled, watched } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import type { TransactionOptions } from '../options/transaction-options.js'
import { detached, openScope, runInScope } from '../scope/scopes.js'

const failure = new Error('of the work')
const CONFLICT = { code: 'LEASEHOLD_TRANSACTION_CONFLICT', phase: 'transaction' }
const ENDED = { code: 'LEASEHOLD_TRANSACTION_ENDED', phase: 'transaction' }

describe('pool.transaction', () => {
  it('gives back what it held, and answers with what its work returned', async () => {
    const { pool, driver } = openFakePool()
    expect(await pool.transaction(async (client) => client.query('select'))).toBe('select on 1')
    expect(pool.snapshot().connections).toMatchObject({ lent: 0, idle: 1 })
    expect(driver.violations).toEqual([])
  })

  it('works in a scope, on what that declares, and outside of any', async () => {
    const { pool, driver } = openFakePool()
    await runInScope({ label: 'a request', settings: { tenant: 'one' } }, () =>
      pool.transaction(() => pool.use((client) => client.query('insert x'))),
    )
    expect(driver.sessions[0]?.settings.ran.every(({ settings }) => settings['tenant'] === 'one')).toBe(true)
    expect(driver.rows).toEqual(['x'])
  })

  it('holds nothing in the name of its scope any more when it has ended', async () => {
    const { pool } = openFakePool()
    await runInScope({ label: 'a request' }, async (scope) => {
      await pool.transaction(async (client) => {
        await pool.use((same) => same.query('select'))
        await client.query('insert x')
      })
      expect(scope.held).toBe(0)
    })
  })

  it('never calls its work when the server refused to begin, and gives back the connection, which is as good as before', async () => {
    const { pool, driver } = openFakePool()
    driver.script.next('query', 'error')
    let called = false
    await expect(pool.transaction(() => void (called = true))).rejects.toThrow('the fake query failed')
    expect(called).toBe(false)
    await settled()
    expect(pool.snapshot().connections).toMatchObject({ lent: 0, idle: 1, closing: 0 })
    expect(driver.countOf('close')).toBe(0)
  })

  it('never calls its work when its scope ended before it began, though the driver begins with the first statement', async () => {
    const { pool, driver } = openFakePool()
    const transactions = driver.transaction
    if (transactions === undefined) throw new Error('this driver has transactions')
    transactions.begin = () => undefined
    await pool.use(() => {})
    const scope = openScope({ label: 'a request' })
    let called = false
    const run = scope.run(() => pool.transaction(() => void (called = true)))
    const closed = scope.close()
    await expect(run).rejects.toMatchObject({ code: expect.stringMatching('LEASEHOLD_') as string })
    await closed
    expect(called).toBe(false)
    expect(pool.snapshot().connections.lent).toBe(0)
  })

  it('fails the whole when a part that had joined failed, though its error was caught', async () => {
    const { pool, driver } = openFakePool()
    const run = pool.transaction(async (client) => {
      await client.query('insert x')
      await pool.transaction(() => Promise.reject(failure)).catch(() => {})
    })
    await expect(run).rejects.toMatchObject({ ...CONFLICT, cause: failure })
    expect(driver.rows).toEqual([])
  })

  it('is not joined by what asks for a connection to hold it for long', async () => {
    const { pool, driver } = openFakePool()
    await pool.transaction(async () => {
      const lease = await pool.acquire({ hold: 'long' })
      await lease.client.query('insert x')
      lease.release()
      expect(driver.rows).toEqual(['x'])
    })
  })

  it('is joined by scopes that are opened in it, and not by what is detached', async () => {
    const { pool, driver } = openFakePool()
    const insert = (row: string) => (): Promise<unknown> => pool.use((client) => client.query(`insert ${row}`))
    const run = pool.transaction(async () => {
      await runInScope({ label: 'inside' }, insert('scope'))
      await detached(insert('detached'))
      throw failure
    })
    await expect(run).rejects.toBe(failure)
    expect(driver.rows).toEqual(['detached'])
  })

  it('is rolled back when it takes longer than its timeoutMs, though its work never ends', async () => {
    const { pool, driver, clock } = openFakePool()
    const run = watched(
      pool.transaction(
        async (client) => {
          await client.query('insert x')
          await new Promise(() => {})
        },
        { timeoutMs: 1_000 },
      ),
    )
    await clock.advanceAsync(999)
    expect(run.outcome).toBe('pending')
    await clock.advanceAsync(1)
    expect(run.outcome).toBe(ENDED.code)
    expect(driver.rows).toEqual([])
    expect(pool.snapshot().connections.lent).toBe(0)
  })

  it.each([
    ['the deadline of its scope passes', 'deadline', 503],
    ['the signal that its scope follows aborts', 'signal', undefined],
    ['its scope closes', 'closed', undefined],
  ])('is rolled back at once when %s, though its work never ends', async (_what, how, statusCode) => {
    const { pool, driver, clock } = openFakePool()
    const abort = new AbortController()
    const scope = openScope({ label: 'a request', deadlineMs: 1_000, signal: abort.signal, clock })
    const run = scope.run(() =>
      watched(
        pool.transaction(async (client) => {
          await client.query('insert x')
          await new Promise(() => {})
        }),
      ),
    )
    await settled()
    expect(run.outcome).toBe('pending')

    if (how === 'deadline') await clock.advanceAsync(1_000)
    else if (how === 'signal') abort.abort(failure)
    else void scope.close(failure)

    await settled()
    expect(run.outcome).toBe(ENDED.code)
    const { error } = run.state as { error?: unknown }
    expect(error).toMatchObject({ statusCode, endedBy: expect.stringContaining('its scope') })
    if (how === 'closed') expect(error).toMatchObject({ cause: failure })
    expect(driver.rows).toEqual([])
    expect(pool.snapshot().connections.lent).toBe(0)
    await scope.close()
  })

  it('is not committed when its scope has ended, though its work did not look and returned', async () => {
    const { pool, driver } = openFakePool()
    const abort = new AbortController()
    const run = runInScope({ label: 'a request', signal: abort.signal }, () =>
      pool.transaction(async (client) => {
        await client.query('insert x')
        abort.abort()
        return 'done'
      }),
    )
    await expect(run).rejects.toMatchObject(ENDED)
    expect(driver.rows).toEqual([])
  })

  it('begun after the end of its scope is bound to it no more', async () => {
    const { pool, driver } = openFakePool()
    const scope = openScope({ label: 'a request' })
    await scope.close()
    await scope.run(() => pool.transaction((client) => client.query('insert x')))
    expect(driver.rows).toEqual(['x'])
  })

  it('does not wait for ever for a statement that nobody awaits: it is rolled back after closeGraceMs', async () => {
    const { pool, driver, clock } = openFakePool({ closeGraceMs: 500 })
    const run = watched(
      pool.transaction(async (client) => {
        await client.query('insert x')
        driver.script.next('query', 'never')
        client.query('insert y').catch(() => {})
      }),
    )
    await clock.advanceAsync(499)
    expect(run.outcome).toBe('pending')
    await clock.advanceAsync(1)
    expect(run.outcome).toBe(CONFLICT.code)
    expect(driver.rows).toEqual([])
    expect(pool.snapshot().connections.lent).toBe(0)
  })
})

describe('retries', () => {
  it('run the whole work again when it met another one, later each time, and never for another error', async () => {
    const { pool, driver, clock } = openFakePool()
    let runs = 0
    const run = watched(
      pool.transaction(
        async (client) => {
          runs += 1
          await client.query(`insert ${runs}`)
          await client.query(runs < 3 ? 'collide' : 'select')
        },
        { retries: 2 },
      ),
    )
    await clock.advanceAsync(4)
    expect(runs).toBe(1)
    await clock.advanceAsync(6)
    expect(runs).toBe(2)
    await clock.advanceAsync(20)
    expect([runs, run.outcome, driver.rows]).toEqual([3, 'fulfilled', ['3']])

    runs = 0
    const fail = pool.transaction(
      async (client) => {
        runs += 1
        await client.query('fail')
      },
      { retries: 2 },
    )
    await expect(fail).rejects.toThrow('the statement failed')
    expect(runs).toBe(1)
  })

  it('are none by default, and stop with the deadline', async () => {
    const { pool, clock } = openFakePool()
    let runs = 0
    const collide = (options?: TransactionOptions): Promise<unknown> =>
      pool.transaction(async (client) => {
        runs += 1
        await client.query('collide')
      }, options)
    await expect(collide()).rejects.toThrow('a deadlock')
    expect(runs).toBe(1)
    const run = watched(collide({ retries: 1_000, timeoutMs: 100 }))
    await clock.advanceAsync(101)
    expect(run.outcome).toBe('FakeDriverError: a deadlock')
    expect(runs).toBeLessThan(12)
    expect(clock.keepsAlive).toBe(false)
  })

  it('end with their scope as the first run does', async () => {
    const { pool, driver, clock } = openFakePool()
    const scope = openScope({ label: 'a request', clock })
    let runs = 0
    const run = watched(
      scope.run(() =>
        pool.transaction(
          async (client) => {
            runs += 1
            if (runs === 1) await client.query('collide')
            await client.query('insert x')
            await new Promise(() => {})
          },
          { retries: 1 },
        ),
      ),
    )
    await clock.advanceAsync(100)
    expect([runs, run.outcome]).toEqual([2, 'pending'])

    void scope.close()
    await settled()

    expect([run.outcome, driver.rows]).toEqual([ENDED.code, []])
  })
})

describe('hooks', () => {
  it('run after the end, in the order in which they were given, and outside of the transaction', async () => {
    const { pool, driver } = openFakePool()
    const told: unknown[] = []
    await pool.transaction(async (client, transaction) => {
      await client.query('insert x')
      transaction.afterRollback(() => told.push('never'))
      transaction.afterCommit(() => told.push([...driver.rows]))
      await pool.transaction((_client, joined) => joined.afterCommit(() => pool.use((own) => own.query('insert y'))))
      expect(told).toEqual([])
    })
    expect(told).toEqual([['x']])
    expect(driver.rows).toEqual(['x', 'y'])
  })

  it('for a rollback run after each run that was rolled back, and the error of the work is what is thrown', async () => {
    const { pool } = openFakePool()
    let told = 0
    const run = pool.transaction((_client, transaction) => {
      transaction.afterCommit(() => (told += 100))
      transaction.afterRollback(() => {
        told += 1
        throw new Error('of the hook')
      })
      throw failure
    })
    await expect(run).rejects.toBe(failure)
    expect(told).toBe(1)
  })

  it('all run though one of them throws, which is thrown: the transaction stays committed', async () => {
    const { pool, driver } = openFakePool()
    let told = 0
    const run = pool.transaction(
      async (client, transaction) => {
        await client.query('insert x')
        transaction.afterCommit(() => Promise.reject(failure))
        transaction.afterCommit(() => (told += 1))
      },
      { retries: 3 },
    )
    await expect(run).rejects.toBe(failure)
    expect([told, driver.rows]).toEqual([1, ['x']])
  })
})

describe('what was lent in a transaction', () => {
  it('ends with it: clients, leases, and the pool in its context; statements that wait are refused', async () => {
    const { pool, driver } = openFakePool()
    const lent: Array<{ query(text: string): Promise<unknown> }> = []
    let late = (): Promise<unknown> => Promise.resolve()
    await pool.transaction(async (client) => {
      lent.push(client, (await pool.acquire()).client)
      const gate = open()
      const called = gate.promise.then(() => pool.acquire())
      called.catch(() => {})
      late = () => {
        gate.go()
        return called
      }
    })
    for (const client of lent) await expect(client.query('insert x')).rejects.toMatchObject(ENDED)
    await expect(late()).rejects.toMatchObject(ENDED)
    expect(driver.rows).toEqual([])
  })

  it('sends nothing more once the commit is under way, behind which it would be outside of the transaction', async () => {
    const { pool, driver } = openFakePool()
    const kept: Array<{ query(text: string): Promise<unknown> }> = []
    driver.script.next('query', 'ok', 'ok', 'slow')
    const run = watched(
      pool.transaction(async (client) => {
        kept.push(client)
        await client.query('insert x')
      }),
    )
    await settled()
    expect(run.outcome).toBe('pending')
    await expect(kept[0]?.query('insert y')).rejects.toMatchObject(ENDED)
    driver.script.open('query')
    await settled()
    expect([run.outcome, driver.rows]).toEqual(['fulfilled', ['x']])
  })

  it('may want its connection closed, which then goes when the transaction has ended', async () => {
    const { pool, driver } = openFakePool()
    await pool.transaction(async (client) => {
      ;(await pool.acquire()).discard('broken')
      await client.query('insert x')
    })
    await settled()
    expect(driver.rows).toEqual(['x'])
    expect(pool.snapshot().connections.total).toBe(0)
  })
})

describe('a transaction inside one of another pool', () => {
  it('is no part of that: each is committed and rolled back by itself', async () => {
    const [one, other] = [openFakePool({ name: 'one' }), openFakePool({ name: 'other' })]
    const run = one.pool.transaction(async () => {
      await other.pool.transaction(async (client) => {
        await client.query('insert other')
        // That of its own pool, though another one lies in between.
        await one.pool.transaction((inner) => inner.query('insert one'), { propagation: 'mandatory' })
      })
      await other.pool.use((client) => client.query('insert alone'))
      throw failure
    })
    await expect(run).rejects.toBe(failure)
    expect([one.driver.rows, other.driver.rows]).toEqual([[], ['other', 'alone']])
  })

  it('that must be part of it is refused before anything is borrowed, and both pools are named', async () => {
    const [one, other] = [openFakePool({ name: 'one' }), openFakePool({ name: 'other' })]
    await one.pool.transaction(async () => {
      const refused = other.pool.transaction(() => {}, { propagation: 'mandatory' })
      await expect(refused).rejects.toMatchObject({ ...CONFLICT, pool: 'other', otherPool: 'one' })
      await expect(refused).rejects.toThrow(/pool "other".*pool "one".*no transaction spans two pools/)
    })
    await expect(other.pool.transaction(() => {}, { propagation: 'mandatory' })).rejects.toMatchObject({
      ...CONFLICT,
      otherPool: undefined,
    })
    expect(other.driver.calls).toEqual([])
  })
})

describe('what is wrong with the asking', () => {
  it('is told before anything is borrowed', async () => {
    const { pool, driver } = openFakePool()
    const ask = (options: unknown): Promise<unknown> => pool.transaction(() => {}, options as TransactionOptions)
    await expect(ask({ propagation: 'require' })).rejects.toThrow(/propagation/)
    await expect(ask({ isolation: 'snapshot', retries: -1 })).rejects.toThrow(/isolation.*\n?.*retries/s)
    await expect(ask({ propagaton: 'nested' })).rejects.toThrow(/did you mean propagation/)
    await expect(ask(null)).rejects.toMatchObject({ code: 'LEASEHOLD_INVALID_OPTIONS' })
    expect(driver.calls).toEqual([])
  })

  it('is told of a driver that has no transactions', async () => {
    const { pool } = openFakePool({}, { without: ['transaction'] })
    await expect(pool.transaction(() => {})).rejects.toMatchObject({ code: 'LEASEHOLD_INVALID_OPTIONS' })
  })
})

function open(): { readonly promise: Promise<void>; readonly go: () => void } {
  let go = (): void => {}
  const promise = new Promise<void>((resolve) => (go = resolve))
  return { promise, go }
}
