import { type FakeClient, openFakePool, type FakePool, settled, type Watched, watched } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'

const failure = new Error('of the work')
const CONFLICT = 'LEASEHOLD_TRANSACTION_CONFLICT'
const ENDED = 'LEASEHOLD_TRANSACTION_ENDED'
/** Longer than anybody's patience with one that has the turn and does nothing. */
const A_MOMENT_MS = 100

/** A transaction as ORMs make them, and as adapters run them. */
function orm({ pool }: FakePool, work: (client: FakeClient) => Promise<unknown>): Promise<unknown> {
  return Promise.resolve(
    pool.ormTransaction(async (enter) => {
      const lease = await pool.acquire()
      const { client } = lease
      try {
        await client.query('begin')
        const result = await enter(() => work(client))
        await client.query('commit')
        return result
      } catch (error) {
        await client.query('rollback')
        throw error
      } finally {
        lease.release()
      }
    }),
  )
}

function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { opened, open }
}

describe('the transaction of an ORM inside another', () => {
  it('has whatever its callback asks of the pool as part of it, and is undone alone', async () => {
    const fake = openFakePool({ max: 1 })
    const { pool, driver } = fake
    await pool.transaction(async () => {
      const undone = orm(fake, async (client) => {
        await client.query('insert own')
        await pool.use((other) => other.query('insert joined'))
        throw failure
      })
      await expect(undone).rejects.toBe(failure)
      await orm(fake, () => pool.use((other) => other.query('insert kept')))
    })
    expect(driver.rows).toEqual(['kept'])
  })

  it('is rolled back in place of being committed, when a part of it failed whose error was caught', async () => {
    const fake = openFakePool()
    const { pool, driver } = fake
    await pool.transaction(async () => {
      const part = orm(fake, async (client) => {
        await client.query('insert own')
        await pool.transaction(() => Promise.reject(failure)).catch(() => {})
      })
      await expect(part).rejects.toMatchObject({ code: CONFLICT, cause: failure })
    })
    expect(driver.rows).toEqual([])
  })

  it('lets nothing more in once its rollback is on the way: that would be work in the transaction around it', async () => {
    const fake = openFakePool({ max: 1 })
    const { pool, driver } = fake
    const { opened, open } = gate()
    const { opened: begun, open: begin } = gate()
    let part: Watched<unknown> | undefined
    await pool.transaction(async () => {
      const undone = watched(
        orm(fake, async () => {
          const nested = async (client: FakeClient): Promise<unknown> => {
            begin()
            await opened
            return client.query('insert late')
          }
          part = watched(pool.transaction(nested, { propagation: 'nested' }))
          await begun
          // The next statement is the rollback.
          driver.script.next('query', 'slow')
          throw failure
        }),
      )
      await settled()
      open()
      await settled()
      driver.script.open('query')
      await settled()
      expect(undone.state).toMatchObject({ error: failure })
    })
    expect([part?.outcome, driver.rows]).toEqual([ENDED, []])
  })

  it('hands on the hooks of what joined it, which run when the outermost has been committed', async () => {
    const fake = openFakePool()
    const told: string[] = []
    const hook = (name: string) => (): Promise<unknown> =>
      fake.pool.transaction((_client, transaction) => transaction.afterCommit(() => told.push(name)))
    await fake.pool.transaction(async () => {
      await orm(fake, hook('committed'))
      const undone = orm(fake, async () => {
        await hook('undone')()
        throw failure
      })
      await expect(undone).rejects.toBe(failure)
      expect(told).toEqual([])
    })
    expect(told).toEqual(['committed'])
  })

  it('never calls the callback when it never began, and refuses whom it has called after its end', async () => {
    const fake = openFakePool()
    const { pool, driver } = fake
    let late = (): unknown => undefined
    await pool.transaction(async () => {
      const never = Promise.resolve(pool.ormTransaction(async (enter) => enter(() => driver.violations.push('called'))))
      await expect(never).rejects.toMatchObject({ code: CONFLICT })
      await orm(fake, async () => {
        const { opened, open } = gate()
        const called = opened.then(() => pool.use((client) => client.query('insert late')))
        called.catch(() => {})
        late = () => {
          open()
          return called
        }
      })
      await expect(late()).rejects.toMatchObject({ code: ENDED })
    })
    expect([driver.rows, driver.violations]).toEqual([[], []])
  })

  it('rejects, and never throws, when the transaction around it has ended: as the methods of ORMs do', async () => {
    const { pool } = openFakePool()
    const { opened, open } = gate()
    let late: Promise<string> | undefined
    await pool.transaction(() => {
      const begin = (): unknown => pool.ormTransaction((enter) => enter(() => 'ran'))
      late = opened.then(() => Promise.resolve(begin()).then(String, (error: { code: string }) => error.code))
    })
    open()
    expect(await late).toBe(ENDED)
  })

  it('waits for its turn before the ORM opens anything', async () => {
    const fake = openFakePool()
    const { opened, open } = gate()
    let isOpening = false
    const run = fake.pool.transaction(async () => {
      const first = orm(fake, async (client) => {
        await client.query('insert first')
        await opened
      })
      const second = Promise.resolve(fake.pool.ormTransaction(async () => void (isOpening = true)))
      await settled()
      expect(isOpening).toBe(false)
      open()
      await Promise.all([first, second])
    })
    await run
    expect(isOpening).toBe(true)
  })

  it('is not waited for past a deadline, and the error names where it is', async () => {
    const fake = openFakePool({ acquireTimeoutMs: 1_000 })
    const { pool, driver, clock } = fake
    const run = watched(
      pool.transaction(
        async () => {
          const first = orm(fake, async (client) => {
            driver.script.next('query', 'never')
            await client.query('insert x')
          })
          first.catch(() => {})
          await settled()
          await pool.use((client) => client.query('insert y'))
        },
        { timeoutMs: 60_000 },
      ),
    )
    await clock.advanceAsync(1_000)
    await clock.advanceAsync(20_000)
    expect(run.outcome).toBe('LEASEHOLD_ACQUIRE_TIMEOUT')
    expect(run.state).toMatchObject({
      error: { waitedMs: 1_000, holder: { site: expect.stringContaining('orm-transactions.test') as unknown } },
    })
    expect(driver.rows).toEqual([])
  })
})

describe('an end that others have come to lie in', () => {
  /** One lets the other in, by doing nothing for a moment; then one of them ends first. */
  async function overlap(endOfOne: 'commits' | 'rolls back') {
    const fake = openFakePool()
    const { pool, clock } = fake
    const [one, other] = [gate(), gate()]
    const ends: string[] = []
    const whole = watched(
      pool.transaction(async () => {
        const first = orm(fake, async (client) => {
          await client.query('insert one')
          await one.opened
          if (endOfOne === 'rolls back') throw failure
        })
        const second = orm(fake, async (client) => {
          await client.query('insert other')
          await other.opened
          await client.query('insert more')
        })
        first.then(
          () => ends.push('one committed'),
          () => ends.push('one rolled back'),
        )
        second.then(
          () => ends.push('other committed'),
          () => ends.push('other failed'),
        )
        await Promise.allSettled([first, second])
      }),
    )
    await clock.advanceAsync(A_MOMENT_MS)
    one.open()
    await settled()
    const before = [...ends]
    other.open()
    await settled()
    return { ...fake, whole, before, ends }
  }

  it('does not wait for them when it commits: both are there', async () => {
    const { before, ends, whole, driver } = await overlap('commits')
    expect(before).toEqual(['one committed'])
    expect(ends).toEqual(['one committed', 'other committed'])
    expect([whole.outcome, driver.rows]).toEqual(['fulfilled', ['one', 'other', 'more']])
  })

  it('does not wait for them when it rolls back: they fail, and so does the whole, which names both', async () => {
    const { before, ends, whole, driver } = await overlap('rolls back')
    expect(before).toEqual(['one rolled back'])
    expect(ends).toEqual(['one rolled back', 'other failed'])
    expect([whole.outcome, driver.rows]).toEqual([CONFLICT, []])
  })
})

describe('with joinTransactions all', () => {
  it('the transaction of an ORM is one that others join, on a pool of one connection', async () => {
    const fake = openFakePool({ max: 1, joinTransactions: 'all' })
    const run = orm(fake, async (client) => {
      await client.query('insert own')
      await fake.pool.use((other) => other.query('insert joined'))
      throw failure
    })
    await expect(run).rejects.toBe(failure)
    expect(fake.driver.rows).toEqual([])
  })
})

describe('with joinTransactions off', () => {
  it('the transaction of an ORM is its own, whatever becomes of the one around it', async () => {
    const fake = openFakePool({ max: 2, joinTransactions: 'off' })
    const run = fake.pool.transaction(async (client) => {
      await client.query('insert outer')
      await orm(fake, (own) => own.query('insert own'))
      throw failure
    })
    await expect(run).rejects.toBe(failure)
    expect(fake.driver.rows).toEqual(['own'])
  })
})

describe('by default, what runs outside of an ORM’s own transaction', () => {
  it('is reported once for each pair of sites, and only if it was issued in its callback', async () => {
    const fake = openFakePool({ max: 3 })
    const { pool } = fake
    const escapes: Array<{ site: string | undefined; transaction: string | undefined }> = []
    const off = pool.on('transaction-escape', (escape) => escapes.push(escape))
    const escape = (): Promise<unknown> => pool.use((client) => client.query('select'))
    await escape()
    for (let n = 0; n < 3; n += 1) await orm(fake, escape)
    await orm(fake, (client) => client.query('select'))
    expect(escapes).toHaveLength(1)
    expect(escapes[0]?.site).toContain('escape')
    await orm(fake, async () => pool.transaction(() => {}))
    expect(escapes).toHaveLength(2)
    off()
    await orm(fake, () => pool.acquire().then((lease) => lease.release()))
    expect(escapes).toHaveLength(2)
  })
})
