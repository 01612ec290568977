import { AsyncResource } from 'node:async_hooks'
import { markOwnFrames, type ScopeCarrier } from '@leasehold/core'
import { checkNamespace } from './check-namespace.js'
import type { ClsHookedNamespace } from './cls-hooked-namespace.js'

markOwnFrames(new Error('where @leasehold/cls-hooked lies'))

/**
 * Carries scopes in a namespace of cls-hooked, in place of AsyncLocalStorage: for a service that lives in one already.
 *
 *     useScopeCarrier(clsHookedCarrier(getNamespace('my-service')))
 *
 * @throws {InvalidOptionsError} when it is given something else, or a namespace that was destroyed.
 */
export function clsHookedCarrier<T>(namespace: ClsHookedNamespace): ScopeCarrier<T> {
  checkNamespace(namespace)
  // A symbol, so that it meets none of the service's own keys and stays out of JSON.
  const key = Symbol('leasehold')
  type Stored = { [key]?: T }

  // Not the namespace's own `run`: that writes a property, in which the whole context hangs, into every error that comes
  // out of it, and fails itself where it cannot, on what is frozen or no object.
  const inside = <R>(stored: Stored, work: () => R): R => {
    namespace.enter(stored)
    try {
      return work()
    } finally {
      namespace.exit(stored)
    }
  }

  return {
    run(context, work) {
      // To leave all contexts is to enter an empty one. With none at all, what starts here would be found without a
      // context, and would then be taken for a part of whoever happens to call it.
      if (context === undefined) return inside({}, work)
      const stored = namespace.createContext() as Stored
      stored[key] = context
      return inside(stored, work)
    },
    current: () => (namespace.active as Stored | null)?.[key],
    // An AsyncResource, which cls-hooked follows, rather than the namespace's own `bind`: the caller's other contexts, in
    // AsyncLocalStorage, travel too.
    bind: <F extends (...args: never[]) => unknown>(callback: F): F => {
      const capture = (): AsyncResource => new AsyncResource('leasehold.bind')
      const resource = namespace.active === null ? inside({}, capture) : capture()
      const called = callback as unknown as (...args: unknown[]) => unknown
      return function bound(this: unknown, ...args: unknown[]): unknown {
        return resource.runInAsyncScope(called, this, ...args)
      } as unknown as F
    },
  }
}
