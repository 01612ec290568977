import {
  callable,
  examineOptions,
  faultsOfPoolSources,
  flag,
  millisecondsOrNever,
  oneOf,
  type PoolSource,
  poolSourceRules,
  refuseFaults,
  type RulesFor,
} from '@leasehold/core'
import type { LeaseholdOptions } from './leasehold-options.js'

const RULES = {
  ...poolSourceRules,
  label: callable,
  mode: oneOf('session', 'transaction', 'statement'),
  priority: oneOf('high', 'normal', 'low'),
  deadlineMs: millisecondsOrNever(1),
  cancelOnAbort: flag,
  errors: flag,
} satisfies RulesFor<LeaseholdOptions>

/** The options of the plugin, checked; the only pool is called `main`. */
export type CheckedOptions = Omit<LeaseholdOptions, 'pool' | 'pools'> & {
  readonly pools: Readonly<Record<string, PoolSource>>
}

/** Refuses options in which anything is wrong, all of it in one error. */
export function checkLeaseholdOptions(options: unknown): CheckedOptions {
  const { values, faults, unknown } = examineOptions(options, RULES)
  refuseFaults('The leasehold plugin', [...faults, ...unknown, ...faultsOfPoolSources(options, values)])
  const { pool: only, pools, ...rest } = values as unknown as LeaseholdOptions
  return { ...rest, pools: pools ?? { main: only } }
}
