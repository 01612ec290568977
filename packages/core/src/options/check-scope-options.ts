import { areRight, checkOptions } from './check-options.js'
import { settingsRule } from './declared-settings.js'
import {
  abortSignal,
  callable,
  flag,
  nonEmptyText,
  objectWith,
  oneOf,
  type OptionRule,
  poolIdentity,
  required,
  timeLeft,
  type RulesFor,
} from './option-rules.js'
import type { ScopeOptions } from './scope-options.js'

const settingsSource: OptionRule = {
  expected: `${settingsRule.expected}; or a function that returns them`,
  accepts: (value) => callable.accepts(value) || settingsRule.accepts(value),
  ...(settingsRule.faults === undefined ? {} : { faults: settingsRule.faults }),
}

const RULES = {
  label: required({
    expected: `${nonEmptyText.expected}, or a function that returns one`,
    accepts: (value: unknown) => nonEmptyText.accepts(value) || callable.accepts(value),
  }),
  signal: abortSignal,
  deadlineMs: timeLeft,
  priority: oneOf('high', 'normal', 'low'),
  mode: oneOf('session', 'transaction', 'statement'),
  cancelOnAbort: flag,
  settings: settingsSource,
  poolSettings: {
    expected: 'a Map from pools to their settings',
    accepts: (value: unknown) =>
      value instanceof Map &&
      [...value.keys()].every(poolIdentity.accepts) &&
      [...value.values()].every(settingsSource.accepts),
  },
  clock: objectWith('a clock', ['now', 'wake']),
} satisfies RulesFor<ScopeOptions>

/** Refuses the options of a scope in which anything is wrong, all of it in one error. */
export function checkScopeOptions(options: unknown): asserts options is ScopeOptions {
  // Every request opens a scope: what is right costs a look at each key.
  if (areRight(options, RULES) && !lacksLabel(options)) return
  checkOptions('This scope', options, RULES)
}

/** What is required of options is not looked at where each of them is. */
function lacksLabel(options: unknown): options is object {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return false
  return (options as { label?: unknown }).label === undefined
}
