import {
  callable,
  checkBindingOptions,
  examineOptions,
  flag,
  type NamedPools,
  type OptionRule,
  refuseFaults,
  type RulesFor,
} from '@leasehold/core'
import type { LeaseholdAsyncOptions, ModuleOptions } from './leasehold-options.js'

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
export type CheckedOptions = ModuleOptions & NamedPools

/** Refuses options in which anything is wrong, all of it in one error. */
export function checkLeaseholdOptions(options: unknown, of = 'LeaseholdModule.forRoot'): CheckedOptions {
  return checkBindingOptions<Pick<ModuleOptions, 'errors'>>(of, options, { errors: flag }) as CheckedOptions
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
