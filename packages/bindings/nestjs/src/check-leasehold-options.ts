import {
  callable,
  examineOptions,
  faultsOfPoolSources,
  flag,
  millisecondsOrNever,
  oneOf,
  type OptionRule,
  type PoolSource,
  poolSourceRules,
  refuseFaults,
  type RulesFor,
} from '@leasehold/core'
import type { LeaseholdAsyncOptions, LeaseholdOptions } from './leasehold-options.js'

const RULES = {
  ...poolSourceRules,
  label: callable,
  mode: oneOf('session', 'transaction', 'statement'),
  priority: oneOf('high', 'normal', 'low'),
  deadlineMs: millisecondsOrNever(1),
  cancelOnAbort: flag,
  errors: flag,
} satisfies RulesFor<LeaseholdOptions>

const list: OptionRule = { expected: 'an array', accepts: Array.isArray }

const names: OptionRule = {
  expected: 'an array with one name or more',
  accepts: (value) => Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string'),
}

const ASYNC_RULES = {
  imports: list,
  inject: list,
  useFactory: callable,
  names,
} satisfies RulesFor<LeaseholdAsyncOptions>

/** The options of the module, checked; the only pool is called `main`. */
export type CheckedOptions = Omit<LeaseholdOptions, 'pool' | 'pools'> & {
  readonly pools: Readonly<Record<string, PoolSource>>
}

/** Refuses options in which anything is wrong, all of it in one error. */
export function checkLeaseholdOptions(options: unknown, of = 'LeaseholdModule.forRoot'): CheckedOptions {
  const { values, faults, unknown } = examineOptions(options, RULES)
  refuseFaults(of, [...faults, ...unknown, ...faultsOfPoolSources(options, values)])
  const { pool: only, pools, ...rest } = values as unknown as LeaseholdOptions
  return { ...rest, pools: pools ?? { main: only } }
}

/** The same for what `forRootAsync` is called with. */
export function checkLeaseholdAsyncOptions(options: unknown): LeaseholdAsyncOptions {
  const { values, faults, unknown } = examineOptions(options, ASYNC_RULES)
  const missing = values['useFactory'] === undefined && !faults.some(({ option }) => option === 'useFactory')
  const factory = { option: 'useFactory', received: 'undefined', expected: 'a function that makes the options' }
  refuseFaults('LeaseholdModule.forRootAsync', [...faults, ...unknown, ...(missing ? [factory] : [])])
  return values as unknown as LeaseholdAsyncOptions
}

/** Refuses pools of a factory that are called otherwise than `forRootAsync` was told. */
export function checkPoolNames(announced: readonly string[], { pools }: CheckedOptions): void {
  const given = Object.keys(pools)
  if (announced.toSorted().join() === given.toSorted().join()) return
  const expected = `the names of the pools that its factory gives: ${JSON.stringify(given)}`
  refuseFaults('LeaseholdModule.forRootAsync', [{ option: 'names', received: JSON.stringify(announced), expected }])
}
