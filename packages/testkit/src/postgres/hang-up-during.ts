import { openScope } from '@leasehold/core'
import { expect } from 'vitest'

/** A pool that tells who holds its connections. */
interface Held {
  snapshot(): { readonly holders: ReadonlyArray<{ readonly statement: string | undefined }> }
}

/**
 * Runs `work`, which is to ask the server for a `pg_sleep`, in a scope whose client hangs up meanwhile; returns what it failed
 * with, and how long that took after the client had gone.
 */
export async function hangUpDuring(
  pool: Held,
  work: () => PromiseLike<unknown>,
): Promise<{ readonly error: unknown; readonly tookMs: number }> {
  const scope = openScope({ label: 'GET /slow' })
  const outcome = scope.run(async () => {
    try {
      await work()
      return undefined
    } catch (error) {
      return error
    }
  })
  // The nap itself must have begun, or there is nothing to cancel.
  await expect
    .poll(() => pool.snapshot().holders.some(({ statement }) => statement?.includes('pg_sleep')), {
      interval: 5,
      timeout: 10_000,
    })
    .toBe(true)
  const since = performance.now()
  void scope.close(new Error('the client hung up'))
  return { error: await outcome, tookMs: performance.now() - since }
}
