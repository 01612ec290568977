import { ConnectFailedError, createPool, InvalidOptionsError, isLeaseholdError } from '@leasehold/core'
import { FakeDriver } from '@leasehold/testkit'
import fastify from 'fastify'
import fastify4 from 'fastify-4'
import { afterEach, describe, expect, it } from 'vitest'
import * as entry from '../index.js'
import type { LeaseholdOptions } from '../leasehold-options.js'

const { leasehold } = entry

describe('the plugin', () => {
  const pools: Array<ReturnType<typeof newPool>> = []
  const newPool = (options: Parameters<typeof createPool>[1] = {}, driver = new FakeDriver()) =>
    createPool(driver, options)

  function pool(options?: Parameters<typeof createPool>[1], driver?: FakeDriver): ReturnType<typeof newPool> {
    const made = newPool(options, driver)
    pools.push(made)
    return made
  }

  async function register(options: unknown, app = fastify()): Promise<unknown> {
    try {
      await app.register(leasehold, options as LeaseholdOptions)
      return undefined
    } catch (error) {
      return error
    }
  }

  async function faultsOf(options: unknown): Promise<readonly string[]> {
    const error = await register(options)
    expect(error).toBeInstanceOf(InvalidOptionsError)
    return (error as InvalidOptionsError).faults.map(({ option, received }) => `${option}: ${received}`)
  }

  afterEach(async () => {
    await Promise.all(pools.splice(0).map((each) => each.close({ deadlineMs: 0 })))
  })

  it('takes a pool, a facade that has one, and several of both by name', async () => {
    const facade = { leases: pool(), close: () => {}, ready: () => {}, snapshot: () => {} }
    expect(await register({ pool: pool() })).toBeUndefined()
    expect(await register({ pool: facade })).toBeUndefined()

    const app = fastify()
    const main = pool()
    expect(await register({ pools: { main, reports: facade } }, app)).toBeUndefined()
    expect(app.leasehold.pools).toEqual({ main, reports: facade })
    await app.close()
    expect([main.snapshot().state, facade.leases.snapshot().state]).toEqual(['closed', 'closed'])
  })

  it('calls the only pool `main`', async () => {
    const app = fastify()
    const only = pool()
    await register({ pool: only }, app)

    expect(app.leasehold.pools['main']).toBe(only)
  })

  it.each<[string, (made: ReturnType<typeof newPool>) => unknown, readonly string[]]>([
    ['nothing at all', () => undefined, ['pool: undefined']],
    ['no pool', () => ({}), ['pool: undefined']],
    ['both pool and pools', (made) => ({ pool: made, pools: { main: made } }), ['pools: both pool and pools']],
    ['no pools', () => ({ pools: {} }), ['pools: an object']],
    ['what is no pool', () => ({ pool: { query: () => {} } }), ['pool: an object']],
    ['a url', () => ({ pool: 'postgres://me:secret@here/shop' }), ['pool: a text']],
    [
      'one that is none among several',
      (made) => ({ pools: { main: made, reports: {} } }),
      ['pools.reports: an object'],
    ],
    [
      'one that is missing among several',
      (made) => ({ pools: { main: made, reports: undefined } }),
      ['pools.reports: undefined'],
    ],
    ['a name that it does not know', (made) => ({ pool: made, closePools: false }), ['closePools: a boolean']],
    [
      'several faults',
      (made) => ({
        pool: made,
        mode: 'row',
        priority: 'urgent',
        deadlineMs: 0,
        label: 'x',
        errors: 1,
        closePool: 0,
        closeDeadlineMs: -1,
      }),
      [
        'closePool: 0',
        'closeDeadlineMs: -1',
        "label: 'x'",
        "mode: 'row'",
        "priority: 'urgent'",
        'deadlineMs: 0',
        'errors: 1',
      ],
    ],
    [
      'a contradiction',
      (made) => ({ pool: made, closePool: false, closeDeadlineMs: 1_000 }),
      ['closeDeadlineMs: one, and closePool: false'],
    ],
  ])('refuses %s, with all that is wrong', async (_, options, faults) => {
    expect(await faultsOf(options(pool()))).toEqual(faults)
  })

  it('names the option that was probably meant, and no secret', async () => {
    expect(await register({ pool: pool(), closeDeadline: 1 })).toMatchObject({
      message: expect.stringContaining('did you mean closeDeadlineMs?') as string,
    })
    expect(String(await register({ pool: 'postgres://me:secret@here/shop' }))).not.toContain('secret')
  })

  it('refuses a pool that is closed', async () => {
    const closed = pool({ name: 'shop' })
    await closed.close()

    expect(await register({ pool: closed })).toMatchObject({ code: 'LEASEHOLD_POOL_CLOSED', pool: 'shop' })
  })

  it('refuses an older Fastify, in Fastify’s own words: what is needed and what is there', async () => {
    const refused = await register({ pool: pool() }, fastify4() as never)

    expect(refused).toMatchObject({ code: 'FST_ERR_PLUGIN_VERSION_MISMATCH' })
    expect(String(refused)).toMatch(/@leasehold\/fastify - expected '5\.x' fastify version, '4\.\d+\.\d+' is installed/)
  })

  it('refuses to be registered twice on one instance, and inside one that has it', async () => {
    const app = fastify()
    await register({ pool: pool() }, app)

    expect(await register({ pool: pool() }, app)).toMatchObject({
      code: 'LEASEHOLD_INVALID_OPTIONS',
      message: expect.stringContaining('one registration, with several databases as `pools`') as string,
    })
    await expect(
      app.register(async (inner) => {
        await inner.register(leasehold, { pool: pool() })
      }),
    ).rejects.toSatisfy(isLeaseholdError)
  })

  it('may be registered in two parts of a service, each with its own pool and scopes', async () => {
    const app = fastify()
    for (const name of ['orders', 'reports']) {
      app.register(
        async (part) => {
          const own = pool({ name })
          await part.register(leasehold, { pool: own, label: ({ url }) => `${name}: ${url}` })
          part.get('/', async (request) => {
            const lease = await own.acquire()
            return `${request.leasehold.scope.label} ${lease.label}`
          })
        },
        { prefix: `/${name}` },
      )
    }

    expect((await app.inject('/orders')).body).toBe('orders: /orders orders: /orders')
    expect((await app.inject('/reports')).body).toBe('reports: /reports reports: /reports')
    await app.close()
    expect(pools.map((each) => each.snapshot().state)).toEqual(['closed', 'closed'])
  })

  it('waits until a pool that must be ready is, and fails with it', async () => {
    const driver = new FakeDriver()
    driver.script.next('connect', 'slow')
    const app = fastify()
    let registered = false
    const registering = register({ pool: pool({ warmUp: 'required' }, driver) }, app).then(() => (registered = true))
    await new Promise(setImmediate)
    expect(registered).toBe(false)
    driver.script.open('connect')
    await registering

    const broken = new FakeDriver()
    broken.script.always('connect', 'error')
    expect(await register({ pool: pool({ warmUp: 'required' }, broken) })).toBeInstanceOf(ConnectFailedError)
  })

  it('is the default export as well as a named one, also for `require`', () => {
    expect(entry.default).toBe(entry.leasehold)
    expect(fastify().register(entry as never, { pool: pool() } as never)).toBeDefined()
  })
})
