import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import type { ScopeCarrier } from '../ports/scope-carrier.js'

/** Carries the context in Node's own AsyncLocalStorage. The default. */
export function asyncLocalCarrier<T>(): ScopeCarrier<T> {
  const storage = new AsyncLocalStorage<T | undefined>()
  return {
    run: (context, work) => storage.run(context, work),
    current: () => storage.getStore(),
    // AsyncResource rather than a closure over our own context: the caller's other contexts (tracing) travel too. And not
    // its `bind`: that makes a deprecated property for each function, which on Node 20 takes 100 times as long (9 µs).
    bind: <F extends (...args: never[]) => unknown>(callback: F): F => {
      const resource = new AsyncResource('leasehold.bind')
      const called = callback as unknown as (...args: unknown[]) => unknown
      return function bound(this: unknown, ...args: unknown[]): unknown {
        return resource.runInAsyncScope(called, this, ...args)
      } as unknown as F
    },
  }
}
