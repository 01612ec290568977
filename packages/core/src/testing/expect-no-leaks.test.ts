import { collectGarbage, openFakePool, watched } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import { runInScope } from '../scope/scopes.js'
import { expectNoLeaks } from './expect-no-leaks.js'

/** For what is never to come back: nobody waits for it. */
const AT_ONCE = { withinMs: 0 }

describe('expectNoLeaks', () => {
  it('passes when everything is back, and when nothing was ever lent', async () => {
    const { pool } = openFakePool()
    await expectNoLeaks(pool)
    await pool.use((client) => client.query('one'))
    await expectNoLeaks(pool)
    await expectNoLeaks({ leases: pool })
  })

  it('names who still holds a connection, with the line that asked and the last statement', async () => {
    const { pool } = openFakePool({ captureSites: 'always', name: 'orders' })
    const { client } = await (function forgetful() {
      return pool.acquire({ label: 'GET /orders' })
    })()
    await client.query("select 'secret'")

    await expect(expectNoLeaks(pool, AT_ONCE)).rejects.toThrow(
      /^pool "orders" has leaked:\n {2}still held: GET \/orders for 0 ms \(database 0 ms\) at forgetful \(.*expect-no-leaks\.test\.ts:\d+:\d+\), last statement: select \?$/,
    )
    await expect(expectNoLeaks({ leases: pool }, AT_ONCE)).rejects.toMatchObject({
      name: 'AssertionError',
      actual: [{ label: 'GET /orders', statement: 'select ?' }],
    })
  })

  it('says how to learn the line, where it is not known', async () => {
    const { pool } = openFakePool()
    await pool.acquire()
    await expect(expectNoLeaks(pool, AT_ONCE)).rejects.toThrow("With captureSites: 'always' on the pool")
  })

  it('waits for who is about to give back, and until that is fit for its next owner', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    driver.script.next('reset', 'slow')
    const lease = await pool.acquire()
    await lease.client.query('begin')
    const expected = watched(expectNoLeaks(pool))
    await new Promise(setImmediate)
    lease.release()
    await new Promise(setImmediate)
    expect([expected.outcome, pool.snapshot().connections.recycling]).toEqual(['pending', 1])

    driver.script.open('reset')
    await new Promise(setImmediate)

    expect([expected.outcome, pool.snapshot().connections.idle]).toEqual(['fulfilled', 1])
  })

  it('lets leases pass that are meant to be held for long', async () => {
    const { pool } = openFakePool()
    await pool.acquire({ hold: 'long', label: 'listener' })
    await expectNoLeaks(pool, AT_ONCE)
  })

  it('tells of what was taken back meanwhile, once', async () => {
    const { pool, clock } = openFakePool({ captureSites: 'always' })
    const leave = (): Promise<void> => runInScope({ label: 'GET /' }, async () => void (await pool.acquire()))
    await leave()
    await leave()
    await expect(expectNoLeaks(pool)).rejects.toThrow(/left-over: GET \/ at .*expect-no-leaks\.test\.ts.* \(2 times\)/)
    await expectNoLeaks(pool)

    await leave()
    await (async () => void (await pool.acquire({ label: 'forgetful' })))()
    await clock.advanceAsync(1_000)
    await collectGarbage()
    const failure = expectNoLeaks(pool)
    await expect(failure).rejects.toThrow(/left-over: GET \/ at [^(\n]*\n {2}forgotten: forgetful/)
  })

  it('leaves nothing behind that listens or waits', async () => {
    const { pool } = openFakePool()
    const lease = await pool.acquire()
    await expect(expectNoLeaks(pool, { withinMs: 5 })).rejects.toThrow('still held')
    lease.release()
    await expectNoLeaks(pool)
  })
})
