import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import type { ScopeCarrier } from '../ports/scope-carrier.js'

/** Carries the context in Node's own AsyncLocalStorage. The default. */
export function asyncLocalCarrier<T>(): ScopeCarrier<T> {
  const storage = new AsyncLocalStorage<T | undefined>()
  return {
    run: (context, work) => storage.run(context, work),
    current: () => storage.getStore(),
    // AsyncResource rather than a closure over our own context: the caller's other contexts (tracing) travel too.
    bind: <F extends (...args: never[]) => unknown>(callback: F): F =>
      AsyncResource.bind(callback as unknown as (...args: unknown[]) => unknown) as unknown as F,
  }
}
