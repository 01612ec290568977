import { checkFunction } from '../options/check-function.js'
import { checkScopeOptions } from '../options/check-scope-options.js'
import type { ScopeOptions } from '../options/scope-options.js'
import type { Clock } from '../ports/clock.js'
import { systemClock } from '../pool/system-clock.js'
import { awaitInside } from './await-inside.js'
import { currentContext, runOutsideContext } from './context.js'
import { Scope } from './scope.js'
import { ScopeSettings } from './scope-settings.js'

/**
 * Opens a scope that its caller closes; `runInScope` is the safe form. Inside another scope it takes over that one's
 * deadline, priority, mode, abort signal and `cancelOnAbort`, where it is given none of its own.
 *
 * @throws {InvalidOptionsError} naming all that is wrong with `options`.
 */
export function openScope(options: ScopeOptions): Scope {
  checkScopeOptions(options)
  const parent = currentContext()?.scope
  return open(options, parent, parent?.settings)
}

/**
 * For bindings: opens a scope that takes the place of another in the same unit of work, inside the current context, and
 * goes on with what that one declares.
 */
export function openScopeInPlaceOf(before: Scope, options: ScopeOptions): Scope {
  checkScopeOptions(options)
  const parent = currentContext()?.scope
  return open(options, parent, before.settings ?? parent?.settings)
}

function open(options: ScopeOptions, parent: Scope | undefined, outer: ScopeSettings | undefined): Scope {
  const clock = options.clock ?? systemClock
  const ownMs = options.deadlineMs ?? Number.POSITIVE_INFINITY
  const inheritedMs = parent?.isOpen === true ? parent.remainingMs() : Number.POSITIVE_INFINITY
  return new Scope({
    label: options.label,
    signal: options.signal,
    outerSignal: parent?.isOpen === true ? parent.signal : undefined,
    deadlineAt: deadlineOf(Math.min(ownMs, inheritedMs), clock),
    priority: options.priority ?? parent?.priority ?? 'normal',
    mode: options.mode ?? parent?.mode,
    cancelOnAbort: options.cancelOnAbort ?? parent?.cancelOnAbort,
    clock,
    settings: options.settings === undefined && options.poolSettings === undefined ? outer : settingsOf(options, outer),
    makeSettings: () => settingsOf(options, outer),
  })
}

function deadlineOf(leftMs: number, clock: Clock): number {
  // Most scopes have none, and every request opens one: a look at the clock takes as long as making the scope.
  return leftMs === Number.POSITIVE_INFINITY ? leftMs : clock.now() + leftMs
}

function settingsOf({ label, settings, poolSettings }: ScopeOptions, outer: ScopeSettings | undefined): ScopeSettings {
  return new ScopeSettings({ outer, all: settings, byPool: poolSettings, run: (source) => runOnItsOwn(label, source) })
}

/** Runs a function that knows settings in a scope that declares none: its own queries must not wait for what it returns. */
function runOnItsOwn<R>(label: ScopeOptions['label'], source: () => R | PromiseLike<R>): R | Promise<R> {
  const name = (): string => `settings of ${typeof label === 'string' ? label : label()}`
  const scope = open({ label: name }, currentContext()?.scope, undefined)
  let answer: R | PromiseLike<R>
  try {
    answer = runOutsideContext(() => scope.run(source))
  } catch (error) {
    void scope.close()
    throw error
  }
  if (!isThenable(answer)) {
    void scope.close()
    return answer
  }
  const lazy = answer
  return runOutsideContext(() =>
    scope.run(async () => {
      try {
        return await lazy
      } finally {
        await scope.close()
      }
    }),
  )
}

function isThenable<R>(answer: R | PromiseLike<R>): answer is PromiseLike<R> {
  return typeof (answer as Partial<PromiseLike<R>> | undefined)?.then === 'function'
}

/**
 * Runs `work` in a scope of its own and closes it when `work` has ended, however it ended. What `work` returns is
 * awaited inside the scope, so that the lazy queries of ORMs run in it too.
 *
 * @returns what `work` returns, once everything that was borrowed is back.
 */
export function runInScope<R>(options: ScopeOptions, work: (scope: Scope) => R | PromiseLike<R>): Promise<Awaited<R>> {
  return runIn('runInScope', () => openScope(options), work)
}

async function runIn<R>(
  name: string,
  openIt: () => Scope,
  work: (scope: Scope) => R | PromiseLike<R>,
): Promise<Awaited<R>> {
  checkFunction(name, 'work', work)
  const scope = openIt()
  try {
    return await scope.run(() => awaitInside(work(scope)))
  } finally {
    await scope.close()
  }
}

/** The scope of the code that calls, if it has one; it may have closed already. */
export function currentScope(): Scope | undefined {
  return currentContext()?.scope
}

/**
 * Runs `work` in a scope of its own that goes on when the current one closes, and has nothing of it but what it declares
 * as settings. For work after the response: `void detached(() => writeAuditLog())`.
 */
export function detached<R>(work: (scope: Scope) => R | PromiseLike<R>): Promise<Awaited<R>> {
  const parent = currentContext()?.scope
  const label = labelOfDetached(parent)
  return runOutsideContext(() => runIn('detached', () => open({ label }, undefined, parent?.settings), work))
}

/** What detaches itself time and again, as a poller does, must not be named by all of its ancestors. */
function labelOfDetached(parent: Scope | undefined): string {
  if (parent === undefined) return 'detached'
  const { label } = parent
  return /^detached( from |$)/.test(label) ? label : `detached from ${label}`
}
