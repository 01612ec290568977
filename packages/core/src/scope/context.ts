import { InvalidOptionsError } from '../errors/invalid-options-error.js'
import { checkOptions } from '../options/check-options.js'
import { objectWith, required } from '../options/option-rules.js'
import type { ScopeCarrier } from '../ports/scope-carrier.js'
import { asyncLocalCarrier } from './async-local-carrier.js'
import type { Frame } from './frame.js'
import type { Scope } from './scope.js'

/** What travels with the asynchronous flow. */
export interface Context {
  readonly scope: Scope | undefined
  readonly frame: Frame | undefined
}

/**
 * The state that all copies of this version in a process share: two installed copies, or the ESM and the CommonJS
 * build, must agree on who the current scope is.
 */
interface ProcessState {
  carrier: ScopeCarrier<Context>
  /** Whether a scope was ever opened: from then on the carrier cannot change without losing somebody's context. */
  opened: boolean
  pools: number
}

const KEY = Symbol.for('@leasehold/core/process-state/1')

function processState(): ProcessState {
  const home = globalThis as { [KEY]?: ProcessState }
  return (home[KEY] ??= { carrier: asyncLocalCarrier<Context>(), opened: false, pools: 0 })
}

const state = processState()

const RULES = { carrier: required(objectWith('a carrier', ['run', 'current', 'bind'])) }

/** The context of the code that calls. */
export function currentContext(): Context | undefined {
  return state.carrier.current()
}

/** The innermost run of a transaction on the pool with this id, around the code that calls. */
export function currentFrame(poolId: number): Frame | undefined {
  let frame = currentContext()?.frame
  while (frame !== undefined && !(frame.isTransaction && frame.poolId === poolId)) frame = frame.outer
  return frame
}

/**
 * Stands for the innermost transaction of the code that calls, whether it is on this pool or that: for adapters that must
 * not mix what belongs to different ones.
 */
export function currentTransaction(): object | undefined {
  return innermostTransaction()
}

/** The innermost run of a transaction around the code that calls, on whatever pool. */
export function innermostTransaction(): Frame | undefined {
  let frame = currentContext()?.frame
  while (frame?.isTransaction === false) frame = frame.outer
  return frame
}

export function runInContext<R>(context: Context, work: () => R): R {
  state.opened = true
  return state.carrier.run(context, work)
}

/** Runs `work` in a frame that nobody need ever find: it is lost on another carrier, and nothing depends on it. */
export function runInUse<R>(frame: Frame, work: () => R): R {
  return state.carrier.run({ scope: currentContext()?.scope, frame }, work)
}

/** Runs `work` outside every context: sockets and timers made in it belong to nobody's request. */
export function runOutsideContext<R>(work: () => R): R {
  return state.carrier.run(undefined, work)
}

/** A function that does what `callback` does, in the context of the code that calls this. */
export function bindToContext<F extends (...args: never[]) => unknown>(callback: F): F {
  return state.carrier.bind(callback)
}

/**
 * Chooses what carries the context from now on, in place of AsyncLocalStorage. To be called at start-up.
 *
 * @throws {InvalidOptionsError} for what is no carrier, and once a scope has been opened: its context would be lost.
 */
export function useScopeCarrier(carrier: ScopeCarrier): void {
  checkOptions('useScopeCarrier', { carrier }, RULES)
  if (state.opened) {
    throw new InvalidOptionsError('useScopeCarrier', [
      {
        option: 'carrier',
        received: 'a carrier after the first scope',
        expected: 'to be called before any scope is opened',
      },
    ])
  }
  // A carrier keeps what it is given and never looks inside, so one of anything is one of ours.
  state.carrier = carrier as ScopeCarrier<Context>
}

/** A number that no other pool of this process has. */
export function nextPoolId(): number {
  state.pools += 1
  return state.pools
}
