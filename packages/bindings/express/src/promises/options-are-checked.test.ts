import { createPool, InvalidOptionsError, type Pool, type PoolOptions } from '@leasehold/core'
import { type FakeClient, FakeDriver } from '@leasehold/testkit'
import express from 'express'
import { afterEach, describe, expect, it } from 'vitest'
import * as entry from '../index.js'

const { leasehold } = entry

type FakePool = Pool<FakeClient>

describe('the middleware', () => {
  const made: FakePool[] = []

  function pool(options: PoolOptions = {}): FakePool {
    const fresh = createPool(new FakeDriver(), options)
    made.push(fresh)
    return fresh
  }

  function refusalOf(options: unknown): InvalidOptionsError {
    try {
      leasehold(options as { pool: FakePool })
    } catch (error) {
      if (error instanceof InvalidOptionsError) return error
      throw error
    }
    throw new Error('nothing was refused')
  }

  afterEach(async () => {
    await Promise.all(made.splice(0).map((each) => each.close({ deadlineMs: 0 })))
  })

  it('takes a pool, a facade that has one, and several of both by name', async () => {
    const facade = { leases: pool(), close: () => {}, ready: () => {}, snapshot: () => {} }
    const main = pool()

    expect(leasehold({ pool: main }).pools).toEqual({ main })
    expect(leasehold({ pool: facade }).pools.main).toBe(facade)
    const both = leasehold({ pools: { main, reports: facade } })
    expect(both.pools).toEqual({ main, reports: facade })

    await both.close()
    expect([main.snapshot().state, facade.leases.snapshot().state]).toEqual(['closed', 'closed'])
  })

  it.each<[string, (one: FakePool) => unknown, readonly string[]]>([
    ['nothing at all', () => undefined, ['pool: undefined']],
    ['no pool', () => ({}), ['pool: undefined']],
    ['both pool and pools', (one) => ({ pool: one, pools: { main: one } }), ['pools: both pool and pools']],
    ['no pools', () => ({ pools: {} }), ['pools: an object']],
    ['what is no pool', () => ({ pool: { query: () => {} } }), ['pool: an object']],
    ['an app', () => ({ pool: express() }), ['pool: a function']],
    ['one that is none among several', (one) => ({ pools: { main: one, reports: {} } }), ['pools.reports: an object']],
    [
      'one that is missing among several',
      (one) => ({ pools: { main: one, reports: undefined } }),
      ['pools.reports: undefined'],
    ],
    ['a name that it does not know', (one) => ({ pool: one, errors: false }), ['errors: a boolean']],
    [
      'several faults',
      (one) => ({ pool: one, mode: 'row', priority: 'urgent', deadlineMs: 0, label: 'x', closePool: 0 }),
      ['closePool: 0', "label: 'x'", "mode: 'row'", "priority: 'urgent'", 'deadlineMs: 0'],
    ],
    [
      'a contradiction',
      (one) => ({ pool: one, closePool: false, closeDeadlineMs: 1_000 }),
      ['closeDeadlineMs: one, and closePool: false'],
    ],
  ])('refuses %s, with all that is wrong', (_, options, faults) => {
    const refused = refusalOf(options(pool()))

    expect(refused.faults.map(({ option, received }) => `${option}: ${received}`)).toEqual(faults)
    expect(refused.message).toContain('The leasehold middleware')
  })

  it('names the option that was probably meant, and no secret', () => {
    expect(refusalOf({ pool: pool(), closeDeadline: 1 }).message).toContain('did you mean closeDeadlineMs?')
    expect(refusalOf({ pool: 'postgres://me:secret@here/shop' }).message).not.toContain('secret')
  })

  it('refuses a pool that is closed', async () => {
    const closed = pool({ name: 'shop' })
    await closed.close()

    expect(() => leasehold({ pool: closed })).toThrow(
      expect.objectContaining({ code: 'LEASEHOLD_POOL_CLOSED', pool: 'shop' }) as Error,
    )
  })

  it.each([5, null, 'server', {}, express()])(
    'refuses to close %o, which is no server, and closes nothing',
    (server) => {
      const one = pool()
      const middleware = leasehold({ pool: one })
      const refused = expect.objectContaining({ code: 'LEASEHOLD_INVALID_OPTIONS' }) as Error
      expect(() => middleware.close(server as never)).toThrow(refused)
      expect(one.snapshot().state).toBe('open')
    },
  )

  it('is the default export as well as a named one', () => {
    expect(entry.default).toBe(entry.leasehold)
    expect(entry.leasehold.route).toBeTypeOf('function')
  })
})
