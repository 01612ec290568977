import { examineOptions, refuseFaults } from '../options/check-options.js'
import { callable, flag, millisecondsOrNever, oneOf, type RulesFor } from '../options/option-rules.js'
import type { BindingOptions, NamedPools, OneOrSeveralPools } from './binding-options.js'
import type { PoolSource } from './pool-source.js'
import { faultsOfPoolSources, poolSourceRules } from './pool-source-rules.js'

const RULES = {
  ...poolSourceRules,
  label: callable,
  mode: oneOf('session', 'transaction', 'statement'),
  priority: oneOf('high', 'normal', 'low'),
  deadlineMs: millisecondsOrNever(1),
  cancelOnAbort: flag,
} satisfies RulesFor<BindingOptions<never> & OneOrSeveralPools>

/**
 * The options of a binding, checked; the only pool is called `main`.
 *
 * @param of what reads well before "cannot be used": `The leasehold plugin`.
 * @param more the rules of what this binding has besides.
 * @throws {InvalidOptionsError} naming all that is wrong.
 */
export function checkBindingOptions<Own extends object>(
  of: string,
  options: unknown,
  more: RulesFor<Own>,
): BindingOptions<never> & Own & NamedPools {
  const { values, faults, unknown } = examineOptions(options, { ...RULES, ...more })
  refuseFaults(of, [...faults, ...unknown, ...faultsOfPoolSources(options, values)])
  const { pool: only, pools, ...rest } = values
  return { ...rest, pools: pools ?? { main: only as PoolSource } } as unknown as BindingOptions<never> &
    Own &
    NamedPools
}
