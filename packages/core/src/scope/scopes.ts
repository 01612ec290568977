import { checkScopeOptions } from '../options/check-scope-options.js'
import type { ScopeOptions } from '../options/scope-options.js'
import { systemClock } from '../pool/system-clock.js'
import { currentContext, runOutsideContext } from './context.js'
import { Scope } from './scope.js'

/**
 * Opens a scope that its caller closes; `runInScope` is the safe form. Inside another scope it takes over that one's
 * deadline, priority, mode and abort signal, where it is given none of its own.
 *
 * @throws {InvalidOptionsError} naming all that is wrong with `options`.
 */
export function openScope(options: ScopeOptions): Scope {
  checkScopeOptions(options)
  const parent = currentContext()?.scope
  const clock = options.clock ?? systemClock
  const ownMs = options.deadlineMs ?? Number.POSITIVE_INFINITY
  const inheritedMs = parent?.isOpen === true ? parent.remainingMs() : Number.POSITIVE_INFINITY
  return new Scope({
    label: options.label,
    signal: joinSignals(options.signal, parent?.isOpen === true ? parent : undefined),
    deadlineAt: clock.now() + Math.min(ownMs, inheritedMs),
    priority: options.priority ?? parent?.priority ?? 'normal',
    mode: options.mode ?? parent?.mode,
    clock,
  })
}

/**
 * Runs `work` in a scope of its own and closes it when `work` has ended, however it ended. What `work` returns is
 * awaited inside the scope, so that the lazy queries of ORMs run in it too.
 *
 * @returns what `work` returns, once everything that was borrowed is back.
 */
export async function runInScope<R>(
  options: ScopeOptions,
  work: (scope: Scope) => R | PromiseLike<R>,
): Promise<Awaited<R>> {
  const scope = openScope(options)
  try {
    return await scope.run(async () => await work(scope))
  } finally {
    await scope.close()
  }
}

/** The scope of the code that calls, if it has one; it may have closed already. */
export function currentScope(): Scope | undefined {
  return currentContext()?.scope
}

/**
 * Runs `work` in a scope of its own that has nothing to do with the current one: it goes on when that one closes. For
 * work after the response: `void detached(() => writeAuditLog())`.
 */
export function detached<R>(work: (scope: Scope) => R | PromiseLike<R>): Promise<Awaited<R>> {
  const parent = currentContext()?.scope
  const label = parent === undefined ? 'detached' : `detached from ${parent.label}`
  return runOutsideContext(() => runInScope({ label }, work))
}

function joinSignals(own: AbortSignal | undefined, parent: Scope | undefined): AbortSignal | undefined {
  if (parent === undefined) return own
  return own === undefined ? parent.signal : AbortSignal.any([own, parent.signal])
}
