import { runInScope } from '@leasehold/core'
import { usePostgres } from '@leasehold/testkit/postgres'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { usePools } from '../testing/leased-pool.js'
import type { LeasedPgPoolOptions } from './facade-options.js'
import type { LeasedPgPool } from './leased-pg-pool.js'

const poolOf = usePools(usePostgres())
const { nextTick } = process

/** A pool that has a connection, in a service whose time stands still: as with Jest's fake timers, and sinon's. */
async function stopTime(options?: LeasedPgPoolOptions): Promise<LeasedPgPool> {
  const pool = poolOf(options)
  await pool.query('select 1')
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'setImmediate', 'performance'] })
  process.nextTick = (...later) => {
    // Node's own sockets go on, as they do for Jest, where a test has a `process` of its own.
    const [, , caller] = new Error('called').stack?.split('\n') ?? []
    if (caller?.includes('node:') === true) nextTick(...later)
  }
  return pool
}

afterEach(() => {
  process.nextTick = nextTick
  vi.useRealTimers()
})

describe('while a test has stopped the time of its service', () => {
  test('a query that fails, fails', async () => {
    const pool = await stopTime()
    await expect(pool.query('select 1/0')).rejects.toMatchObject({ code: '22012' })
  })

  test('callbacks are called: with a client, a result, an error', async () => {
    const pool = await stopTime()
    await new Promise<void>((resolve) => {
      pool.connect((_error, _client, release) => resolve(release()))
    })
    const rows = await new Promise((resolve) => {
      pool.query('select 1 as n', (_error: Error, result) => resolve(result.rows))
    })
    expect(rows).toEqual([{ n: 1 }])
    const failure = await new Promise((resolve) => {
      pool.query('select 1/0', (error: Error) => resolve(error))
    })
    expect(failure).toMatchObject({ code: '22012' })
  })

  test('whoever waits longer than acquireTimeoutMs is told', async () => {
    const pool = await stopTime({ max: 1, leasehold: { acquireTimeoutMs: 400 } })
    const client = await pool.connect()
    await expect(pool.connect()).rejects.toMatchObject({ code: 'LEASEHOLD_ACQUIRE_TIMEOUT' })
    client.release()
  })

  test('an aborted request has its statement cancelled', async () => {
    const pool = await stopTime()
    const request = new AbortController()
    const slept = runInScope({ label: 'GET /', signal: request.signal }, async () => {
      const asleep = pool.query('select pg_sleep(30)')
      asleep.catch(() => {})
      await pool.query('select 1')
      request.abort()
      return asleep
    })
    await expect(slept).rejects.toMatchObject({ code: 'LEASEHOLD_ABORTED' })
  })
})
