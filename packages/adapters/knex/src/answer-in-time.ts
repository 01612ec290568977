import { AbortedError, LeaseholdError } from '@leasehold/core'
import type { PgLeases } from './knex-internals.js'

/** Until when somebody waits. */
export interface Patience {
  /** By the pool's clock. */
  readonly deadlineAt: number
  /** Gives up earlier. */
  readonly signal: AbortSignal | undefined
}

/**
 * What a hook of the user's answers about a connection. Whoever wants the connection waits no longer for it than for the
 * connection itself: a hook may hang, and so may the server that it asks.
 *
 * @param hook its name, for the error.
 * @throws {LeaseholdError} `LEASEHOLD_ACQUIRE_TIMEOUT` when the answer does not come in time.
 * @throws {AbortedError} when the signal aborts before.
 */
export function answerInTime<T>(
  leases: PgLeases,
  hook: string,
  answer: PromiseLike<T>,
  patience: Patience,
): Promise<T> {
  const { clock, name } = leases.options
  const { deadlineAt, signal } = patience
  const startedAt = clock.now()
  return new Promise<T>((resolve, reject) => {
    let cancel: ReturnType<typeof clock.wake> | undefined
    const stopWaiting = (): void => {
      cancel?.()
      signal?.removeEventListener('abort', gone)
    }
    const gone = (): void => {
      stopWaiting()
      reject(new AbortedError({ pool: name, waitedMs: clock.now() - startedAt, cause: signal?.reason }))
    }
    const look = (): void => {
      if (clock.now() < deadlineAt) {
        cancel = deadlineAt === Infinity ? undefined : clock.wake(deadlineAt, look)
        cancel?.keepAlive?.(true)
        return
      }
      stopWaiting()
      reject(tooLate(name, hook, clock.now() - startedAt))
    }
    answer.then(
      (value) => {
        stopWaiting()
        resolve(value)
      },
      (error: unknown) => {
        stopWaiting()
        reject(error)
      },
    )
    if (signal?.aborted === true) {
      gone()
      return
    }
    signal?.addEventListener('abort', gone)
    look()
  })
}

function tooLate(pool: string, hook: string, waitedMs: number): LeaseholdError {
  return new LeaseholdError({
    code: 'LEASEHOLD_ACQUIRE_TIMEOUT',
    phase: 'check',
    what: `${hook} did not say within ${Math.round(waitedMs)} ms whether a connection of pool "${pool}" may be used`,
    remedy: `Have it answer sooner, or give up by itself: the connection was closed`,
    pool,
    retryAfterMs: 1_000,
  })
}
