import { type FakeClient, openFakePool, settled, watched } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import { type Lease, openScope, runInScope } from '../index.js'

describe('transactions side by side in a scope of mode session', () => {
  it('run one after the other: what comes of one is nothing to the other', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    const outcomes = await runInScope({ label: 'GET /', mode: 'session' }, () =>
      Promise.allSettled([
        pool.transaction((client) => client.query('insert kept')),
        pool.transaction(async (client) => {
          await client.query('insert undone')
          throw new Error('of the work')
        }),
        pool.transaction((client) => client.query('insert kept-too')),
      ]),
    )

    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(driver.rows).toEqual(['kept', 'kept-too'])
  })

  it('wait no longer for each other than for a connection, and say so', async () => {
    const { pool, clock } = openFakePool({ max: 1, acquireTimeoutMs: 500 })
    const scope = openScope({ label: 'GET /', mode: 'session', clock })
    let goOn = (): void => {}
    const first = scope.run(() => watched(pool.transaction(() => new Promise<void>((resolve) => (goOn = resolve)))))
    await settled()
    const second = scope.run(() => watched(pool.transaction((client) => client.query('insert late'))))
    await clock.advanceAsync(500)

    expect(second.outcome).toBe('LEASEHOLD_ACQUIRE_TIMEOUT')
    goOn()
    const third = scope.run(() => watched(pool.transaction((client) => client.query('insert kept'))))
    await settled()
    expect([first.outcome, third.outcome]).toEqual(['fulfilled', 'fulfilled'])
    await scope.close()
  })

  it('end with their scope while they wait', async () => {
    const { pool, clock } = openFakePool({ max: 1 })
    const scope = openScope({ label: 'GET /', mode: 'session', clock, deadlineMs: 100 })
    const runs = [1, 2, 3].map(() => scope.run(() => watched(pool.transaction(() => new Promise(() => {})))))
    await clock.advanceAsync(100)

    expect(runs.map(({ outcome }) => outcome)).toEqual(Array(3).fill('LEASEHOLD_TRANSACTION_ENDED'))
    await scope.close()
    expect(pool.snapshot().connections).toMatchObject({ lent: 0 })
  })

  it('do not begin on a session that has ended while they waited', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    const scope = openScope({ label: 'GET /', mode: 'session' })
    const lease = await scope.run(() => pool.acquire())
    const first = scope.run(() => watched(pool.transaction(() => new Promise(() => {}))))
    await settled()
    const second = scope.run(() => watched(pool.transaction((client) => client.query('insert x'))))
    await settled()

    lease.discard('no use')
    await settled()

    expect(second.outcome).toBe('LEASEHOLD_LEASE_RELEASED')
    await scope.close()
    await settled()
    expect(first.outcome).toMatch('LEASEHOLD_')
    expect([driver.violations, driver.rows]).toEqual([[], []])
  })

  it('do not begin inside one that somebody has begun there by hand', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    await runInScope({ label: 'GET /', mode: 'session' }, async () => {
      const lease = await pool.acquire()
      await lease.client.query('begin')
      await lease.client.query('insert undone')
      await expect(pool.transaction((client) => client.query('insert x'))).rejects.toMatchObject({
        code: 'LEASEHOLD_TRANSACTION_CONFLICT',
      })
      await lease.client.query('rollback')
      lease.release()
      await pool.transaction((client) => client.query('insert kept'))
    })

    expect(driver.rows).toEqual(['kept'])
  })

  it('begin after one whose COMMIT has failed, when the server has said that it is over', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    const scope = openScope({ label: 'GET /', mode: 'session' })
    let goOn = (): void => {}
    const first = scope.run(() => watched(pool.transaction(() => new Promise<void>((resolve) => (goOn = resolve)))))
    const second = scope.run(() => watched(pool.transaction((client) => client.query('insert kept'))))
    await settled()
    driver.script.next('query', new Error('a deferred constraint'))
    driver.script.next('ready', 'slow')
    goOn()
    await settled()
    expect([first.outcome, second.outcome, driver.rows]).toEqual(['Error: a deferred constraint', 'pending', []])

    driver.script.open('ready')
    await settled()
    expect([second.outcome, driver.rows]).toEqual(['fulfilled', ['kept']])
    await scope.close()
  })

  it('of an ORM wait as long as for a connection, and no longer than their scope goes on', async () => {
    const { pool, clock } = openFakePool({ max: 1 })
    const scope = openScope({ label: 'GET /', mode: 'session', clock, deadlineMs: 300 })
    const begin = (timeoutMs: number): ReturnType<typeof watched<Lease<FakeClient>>> =>
      scope.run(() => watched(Promise.resolve(pool.ormTransaction(() => pool.acquire({ timeoutMs })))))
    const first = begin(1_000)
    await settled()
    const [patient, hurried] = [begin(1_000), begin(100)]
    await clock.advanceAsync(100)
    expect([first.outcome, patient.outcome, hurried.outcome]).toEqual([
      'fulfilled',
      'pending',
      'LEASEHOLD_ACQUIRE_TIMEOUT',
    ])

    await clock.advanceAsync(200)
    expect(patient.outcome).not.toBe('pending')
    await scope.close()
    expect(pool.snapshot()).toMatchObject({ connections: { lent: 0 }, holders: [] })
  })
})
