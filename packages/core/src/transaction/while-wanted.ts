import type { PendingAcquire, Scope, ScopeAbort } from '../scope/scope.js'

/** How long work may go on. */
export interface Bounds {
  /** Whose work it is; undefined where nobody can call it off. */
  readonly scope: Scope | undefined
  readonly deadlineAt: number
  /** Calls back at `at`; returns what takes it back. */
  wake(at: number, callback: () => void): () => void
  /** Words why it must not go on: its scope ended, or, without one, its time is up. */
  over(abort?: ScopeAbort): Error
}

/** Settles as `work` does, but no later than its scope ends or its time is up: then it rejects, and the work goes on unheard. */
export function whileWanted<R>(work: Promise<R>, { scope, deadlineAt, wake, over }: Bounds): Promise<R> {
  if (scope === undefined && deadlineAt === Number.POSITIVE_INFINITY) return work
  return new Promise((resolve, reject) => {
    const pending: PendingAcquire = { pendingAt: -1, abandon: (abort) => end(() => reject(over(abort))) }
    const takeBack =
      deadlineAt === Number.POSITIVE_INFINITY ? () => {} : wake(deadlineAt, () => end(() => reject(over())))
    const end = (settle: () => void): void => {
      takeBack()
      scope?.waitsNoMore(pending)
      settle()
    }
    scope?.waits(pending)
    work.then(
      (result) => end(() => resolve(result)),
      (error: unknown) => end(() => reject(error)),
    )
  })
}
