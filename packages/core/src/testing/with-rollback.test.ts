import { openFakePool, watched } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import { detached, runInScope } from '../scope/scopes.js'
import { withRollback } from './with-rollback.js'

const failure = new Error('of the test')

describe('withRollback', () => {
  it('takes back whatever the pool was asked for, from any context, and answers with what the test returned', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    const insert = (row: string): Promise<string> => pool.use((client) => client.query(`insert ${row}`))
    let go = (): void => {}
    const elsewhere = new Promise<void>((resolve) => (go = resolve)).then(() => insert('from elsewhere'))
    const result = await withRollback(pool, async () => {
      await insert('alone')
      await pool.transaction((client) => client.query('insert inside'))
      await runInScope({ label: 'a request' }, () => insert('request'))
      await detached(() => insert('detached'))
      go()
      await elsewhere
      return pool.snapshot().connections.total
    })
    expect(result).toBe(1)
    expect(driver.rows).toEqual([])
    await insert('after')
    expect(driver.rows).toEqual(['after'])
  })

  it('is given a facade as well as a pool', async () => {
    const { pool, driver } = openFakePool()
    await withRollback({ leases: pool }, () => pool.use((client) => client.query('insert x')))
    expect(driver.rows).toEqual([])
  })

  it('is off when the test has failed, and when it could not even begin', async () => {
    const { pool, driver } = openFakePool()
    await expect(withRollback(pool, () => Promise.reject(failure))).rejects.toBe(failure)
    driver.script.next('query', 'error')
    await expect(withRollback(pool, () => {})).rejects.toThrow('the fake query failed')
    await pool.transaction((client) => client.query('insert x'))
    expect(driver.rows).toEqual(['x'])
  })

  it('lets a lone statement fail by itself, and a transaction alone', async () => {
    const { pool, driver } = openFakePool()
    await withRollback(pool, async () => {
      await expect(pool.use((client) => client.query('fail'))).rejects.toThrow('the statement failed')
      const failing = pool.transaction(async (client) => {
        await client.query('insert undone')
        await client.query('fail')
      })
      await expect(failing).rejects.toThrow('the statement failed')
      await expect(pool.use((client) => client.query('insert x'))).resolves.toContain('insert x')
    })
    expect(driver.rows).toEqual([])
  })

  it('answers propagation as if there were no test around, and runs all in it', async () => {
    const { pool, driver } = openFakePool({ max: 1 })
    await withRollback(pool, async () => {
      await expect(pool.transaction(() => {}, { propagation: 'mandatory' })).rejects.toMatchObject({
        code: 'LEASEHOLD_TRANSACTION_CONFLICT',
      })
      for (const propagation of ['requires-new', 'not-supported', 'supports', 'never', 'nested'] as const) {
        await pool.transaction((client) => client.query(`insert ${propagation}`), { propagation })
      }
      const inside = pool.transaction(() => pool.transaction(() => {}, { propagation: 'never' }))
      await expect(inside).rejects.toMatchObject({ code: 'LEASEHOLD_TRANSACTION_CONFLICT' })
    })
    expect(driver.rows).toEqual([])
  })

  it('fails a test in which work was undone of somebody who does not know', async () => {
    const { pool, driver, clock } = openFakePool()
    let go = (): void => {}
    const gate = new Promise<void>((resolve) => (go = resolve))
    const run = watched(
      withRollback(pool, async () => {
        const one = pool.transaction(async (client) => {
          await client.query('insert one')
          await gate
          throw failure
        })
        const other = pool.transaction((client) => client.query('insert other'))
        await other
        go()
        await one.catch(() => {})
      }),
    )
    await clock.advanceAsync(200)
    expect(run.outcome).toBe('LEASEHOLD_TRANSACTION_CONFLICT')
    expect(driver.rows).toEqual([])
  })
})
