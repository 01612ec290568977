/**
 * Carries a context along the asynchronous flow. `T` is opaque to a carrier: it stores it and gives it back, and
 * never looks inside.
 */
export interface ScopeCarrier<T = unknown> {
  /** Runs `work` inside `context`; `undefined` leaves every context. Returns or throws what `work` does. */
  run<R>(context: T | undefined, work: () => R): R
  /** The context of the code that calls, or `undefined` outside all. */
  current(): T | undefined
  /** A function that does what `callback` does, in the context of the moment of binding. */
  bind<F extends (...args: never[]) => unknown>(callback: F): F
}
