import { openFakePool } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import { answerInTransaction, refusesRequest } from './answer-in-transaction.js'
import { poolForTransactions } from './pool-for-transactions.js'

const failure = new Error('of the handler')

describe('an answer in a transaction', () => {
  it('may be sent when all is committed', async () => {
    const { pool, driver } = openFakePool()
    const answer = await answerInTransaction(pool, {}, async () => {
      await pool.use((client) => client.query('insert x'))
      expect(driver.rows).toEqual([])
      return { refuses: false, answer: 'done' }
    })
    expect([answer, driver.rows]).toEqual(['done', ['x']])
  })

  it('that refuses the request may be sent when all is rolled back', async () => {
    const { pool, driver } = openFakePool()
    const answer = await answerInTransaction(pool, {}, async () => {
      await pool.use((client) => client.query('insert x'))
      return { refuses: true, answer: 'no' }
    })
    expect([answer, driver.rows]).toEqual(['no', []])
  })

  it('is none when the handler throws', async () => {
    const { pool } = openFakePool()
    await expect(answerInTransaction(pool, {}, () => Promise.reject(failure))).rejects.toBe(failure)
  })

  it('refuses the request from 400 on', () => {
    expect([200, 204, 302, 399, 400, 404, 500].filter(refusesRequest)).toEqual([400, 404, 500])
  })
})

describe('the pool for a transaction', () => {
  const { pool } = openFakePool()

  it.each([
    ['the one of its name', { main: pool, reports: pool }, 'reports'],
    ['the only one', { reports: { leases: pool } }, undefined],
    ['main of several', { main: pool, reports: pool }, undefined],
  ])('is %s', (_which, pools, name) => {
    expect(poolForTransactions('This', pools, name)).toBe(pool)
  })

  it.each([
    ['of a name that there is not', { main: pool }, 'reports', /expected one of main, received "reports"/],
    ['without a name, of several', { a: pool, b: pool }, undefined, /expected one of a, b, received none/],
    ['of a name that every object has', { main: pool }, 'constructor', /expected one of main/],
    ['that a test has replaced by something else', { main: {} as never }, 'main', /without transaction\(\)/],
  ])('is none %s: that is told', (_which, pools, name, message) => {
    expect(() => poolForTransactions('This', pools, name)).toThrow(message)
  })
})
