import { AsyncResource } from 'node:async_hooks'
import { objectWith, printReceivedKind, refuseFaults } from '@leasehold/core'
import type { ClsHookedNamespace } from './cls-hooked-namespace.js'

const namespaceLike = objectWith('a namespace of cls-hooked', ['createContext', 'enter', 'exit'])

/** Refuses what is no namespace in which a scope could travel. */
export function checkNamespace(namespace: unknown): asserts namespace is ClsHookedNamespace {
  const received = whatIsWrongWith(namespace)
  if (received === undefined) return
  const expected = 'a namespace of cls-hooked, as createNamespace(name) made it or getNamespace(name) finds it'
  refuseFaults('clsHookedCarrier', [{ option: 'namespace', expected, received }])
}

function whatIsWrongWith(namespace: unknown): string | undefined {
  if (!isNamespaceLike(namespace)) return kindOf(namespace)
  const { name } = namespace as { readonly name?: unknown }
  const registered = registeredAs(name)
  if (registered === null) return `the namespace "${String(name)}", which was destroyed`
  // Nothing at all is no sign: loading a second copy of cls-hooked empties the register, and no namespace suffers.
  if (registered !== undefined && registered !== namespace) {
    return `the namespace "${String(name)}", in whose place another one was created`
  }
  if (!followsAsyncResources(namespace)) {
    return 'a namespace that does not follow promises, such as continuation-local-storage has'
  }
  return undefined
}

function isNamespaceLike(value: unknown): value is ClsHookedNamespace {
  return namespaceLike.accepts(value) && 'active' in (value as object)
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'undefined, which getNamespace returns for a name that nobody has created'
  if (value === null) return 'null, which getNamespace returns for a name that was destroyed'
  if (typeof value === 'string') return 'a text: the name is not the namespace'
  return printReceivedKind(value)
}

/** Where cls-hooked keeps its namespaces: null for one that was destroyed. */
function registeredAs(name: unknown): unknown {
  const { namespaces } = process as { readonly namespaces?: Readonly<Record<string, unknown>> }
  return typeof name === 'string' ? namespaces?.[name] : undefined
}

/** Whether a context comes back with what was begun in it. */
function followsAsyncResources(namespace: ClsHookedNamespace): boolean {
  const context = namespace.createContext()
  namespace.enter(context)
  const begun = new AsyncResource('leasehold.probe')
  namespace.exit(context)
  return begun.runInAsyncScope(() => namespace.active === context)
}
