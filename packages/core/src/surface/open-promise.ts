type Resolve = (value: unknown) => void
type Reject = (reason: unknown) => void

const nothing = (): void => {}

let resolveOfLast: Resolve = nothing
let rejectOfLast: Reject = nothing

function keepFunctions(resolve: Resolve, reject: Reject): void {
  resolveOfLast = resolve
  rejectOfLast = reject
}

/** A promise and what settles it. */
export interface OpenPromise<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (reason: unknown) => void
}

/**
 * `Promise.withResolvers`, which Node 20 does not have. The executor is always the same function: one made for each
 * promise, and what it closes over, cost a burst of waiters a seventh of its time.
 */
export function openPromise<T>(): OpenPromise<T> {
  const promise = new Promise(keepFunctions) as Promise<T>
  return { promise, resolve: resolveOfLast, reject: rejectOfLast }
}

/** To be called now and then: kept here, the last lease that was waited for could never be found forgotten. */
export function letGoOfLastPromise(): void {
  resolveOfLast = nothing
  rejectOfLast = nothing
}
