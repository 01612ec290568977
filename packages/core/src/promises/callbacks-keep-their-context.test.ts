import { openFakePool, settled, watched } from '@leasehold/testkit'
import { describe, expect, it } from 'vitest'
import { bindToContext, currentScope, detached, openScope, runInScope } from '../index.js'

// ARCHITECTURE.md, promise 11, as far as core goes.

const here = (): string => currentScope()?.label ?? 'outside'

describe('what belongs to the pool runs outside every context', () => {
  it('through all that a driver is asked to do, whoever set it off', async () => {
    const { pool, driver, clock } = openFakePool(
      { max: 2, checkAfterIdleMs: 10, keepaliveMs: 1_000, closeGraceMs: 10 },
      { context: here },
    )
    const scope = openScope({ label: 'a request', clock })
    await scope.run(async () => {
      const lease = await pool.acquire()
      await lease.client.query('begin')
      lease.release()
      await settled()
      clock.advance(11)
      const second = await pool.acquire()
      driver.script.next('query', 'never')
      watched(second.client.query('endless'))
      second.release()
      await settled()
      const third = await pool.acquire()
      third.discard('no use')
      watched(pool.acquire())
    })
    watched(scope.close())
    await clock.advanceAsync(2_000)

    const seen = new Map(driver.calls.map((call) => [call.method, call.context]))
    for (const method of ['connect', 'watch', 'check', 'reset', 'quiesce', 'close'] as const) {
      expect([method, seen.get(method)]).toEqual([method, 'outside'])
    }
    expect(driver.calls.filter((call) => call.method !== 'lend' && call.context !== 'outside')).toEqual([])
  })

  it('also its wake-up', async () => {
    const { pool, clock } = openFakePool({ max: 1 })
    const contexts: string[] = []
    const wake = clock.wake.bind(clock)
    clock.wake = (at, callback) => {
      contexts.push(here())
      return wake(at, callback)
    }

    await runInScope({ label: 'a request', deadlineMs: 100, clock }, async () => {
      await pool.acquire()
      watched(pool.acquire({ timeoutMs: 10 }))
    })

    expect(contexts.length).toBeGreaterThan(0)
    expect(new Set(contexts)).toEqual(new Set(['outside']))
  })
})

describe('what belongs to a caller runs in its context and no other', () => {
  it('also when it was another caller’s release that let it go on', async () => {
    const { pool, clock } = openFakePool({ max: 1 })
    const seen: string[] = []
    const request = (label: string): Promise<void> =>
      runInScope({ label, clock }, async () => {
        const lease = await pool.acquire()
        seen.push(`${label} in ${here()}`)
        await settled()
        lease.release()
        seen.push(`${label} in ${here()}`)
      })

    await Promise.all(['first', 'second', 'third'].map(request))

    for (const label of ['first', 'second', 'third']) {
      expect(seen.filter((each) => each === `${label} in ${label}`)).toHaveLength(2)
    }
    expect(here()).toBe('outside')
  })

  it('a lazy query is run inside: by runInScope, use and detached alike', async () => {
    const { pool, clock } = openFakePool()
    const lazy = (): PromiseLike<string> => ({
      // As Knex, Drizzle and Prisma have it: nothing happens before somebody calls then.
      // oxlint-disable-next-line unicorn/no-thenable
      then: (resolve) => Promise.resolve(here()).then(resolve),
    })

    expect(await runInScope({ label: 'a request', clock }, lazy)).toBe('a request')
    expect(await runInScope({ label: 'a request', clock }, () => pool.use(lazy))).toBe('a request')
    expect(await runInScope({ label: 'a request', clock }, () => detached(lazy))).toBe('detached from a request')
  })

  it('a lazy query keeps its lease and its scope until it has ended', async () => {
    const { pool, clock } = openFakePool()
    const states: boolean[] = []

    await runInScope({ label: 'a request', clock }, () =>
      pool.use((_client, lease): PromiseLike<void> => ({
        // oxlint-disable-next-line unicorn/no-thenable
        then: (resolve) => {
          states.push(lease.active, currentScope()?.isOpen === true)
          return Promise.resolve().then(resolve)
        },
      })),
    )

    expect(states).toEqual([true, true])
  })

  it('a listener of the pool runs where it was registered', async () => {
    const { pool, clock } = openFakePool({ max: 1 })
    const seen: string[] = []
    pool.on('release', () => seen.push(here()))
    const monitor = openScope({ label: 'the monitor', clock })
    monitor.run(() => pool.on('release', () => seen.push(here())))

    await runInScope({ label: 'a request', clock }, () => pool.use((client) => client.query('select')))

    expect(seen).toEqual(['outside', 'the monitor'])
    await monitor.close()
  })

  it('an abort listener of a scope’s signal runs where it was registered', async () => {
    const scope = openScope({ label: 'a request' })
    const seen: string[] = []
    scope.run(() =>
      scope.signal.addEventListener(
        'abort',
        bindToContext(() => seen.push(here())),
      ),
    )

    await scope.close()

    expect(seen).toEqual(['a request'])
  })

  it('a callback bound by a scope runs in it', () => {
    const scope = openScope({ label: 'a request' })

    expect(scope.bind((suffix: string) => `${here()} ${suffix}`)('bound')).toBe('a request bound')
    expect(here()).toBe('outside')
  })
})
