import type { AllGiven } from './all-given.js'
import type { OptionFault } from '../errors/invalid-options-error.js'
import { examineOptions } from './check-options.js'
import { oneOf, type OptionRule, type RulesFor } from './option-rules.js'

/**
 * What becomes of one kind of leak: it is reported; or it is reported and the connection is taken back, which cancels what
 * runs, rolls back, resets, and leaves the old handle dead; or nobody looks for it.
 */
export type LeakAction = 'report' | 'reclaim' | 'off'

/** What becomes of leaks, kind by kind. */
export interface LeakActions {
  /** A lease is held for longer than `leakAfterMs`. Default `report`. */
  readonly overdue?: LeakAction | undefined
  /**
   * A lease is still held when its scope closes. Default `reclaim`; with anything else it stays with whoever has it, and
   * a closed scope may go on holding connections.
   */
  readonly leftOver?: LeakAction | undefined
  /**
   * The garbage collector has taken all that the holder was given, so that nobody can release it. Default `reclaim`.
   * Needs a driver with handles of its own, and a collection: in a service at rest that may take minutes.
   */
  readonly forgotten?: LeakAction | undefined
  /** A transaction is open and has had no statement for `idleInTransactionMs`. Default `report`. */
  readonly idleInTransaction?: LeakAction | undefined
}

const ACTION = oneOf('report', 'reclaim', 'off')
const RULES: RulesFor<LeakActions> = { overdue: ACTION, leftOver: ACTION, forgotten: ACTION, idleInTransaction: ACTION }
const DEFAULTS: AllGiven<LeakActions> = {
  overdue: 'report',
  leftOver: 'reclaim',
  forgotten: 'reclaim',
  idleInTransaction: 'report',
}
const ALL_OFF: AllGiven<LeakActions> = Object.freeze({
  overdue: 'off',
  leftOver: 'off',
  forgotten: 'off',
  idleInTransaction: 'off',
})

const expected = "'off', or an object with 'report', 'reclaim' or 'off' for each kind of leak"

/** What becomes of leaks: `'off'` for all kinds at once, or an action for some of them. */
export const leakActions: OptionRule = {
  expected,
  accepts: (value) => value === 'off' || faultsOf('leaks', value).length === 0,
  faults: faultsOf,
}

function faultsOf(option: string, value: unknown): readonly OptionFault[] {
  const { faults, unknown } = examineOptions(value, RULES)
  return [...faults, ...unknown].map((fault) =>
    // What is no object at all is wrong as a whole.
    fault.option === 'options' ? { ...fault, option, expected } : { ...fault, option: `${option}.${fault.option}` },
  )
}

/** The action for every kind. */
export function resolveLeakActions(given: 'off' | LeakActions | undefined): AllGiven<LeakActions> {
  if (given === 'off') return ALL_OFF
  const named = Object.entries(given ?? {}).filter(([, action]) => action !== undefined)
  return Object.freeze({ ...DEFAULTS, ...Object.fromEntries(named) })
}
