import type { OptionFault } from '../errors/invalid-options-error.js'
import type { AllGiven } from './all-given.js'
import { examineOptions } from './check-options.js'
import type { OptionRule, RulesFor } from './option-rules.js'
import { printReceived } from './print-received.js'

/** Several options under one name. Its faults are those of its options. */
export function grouped<Options>(
  rules: RulesFor<Options>,
  contradictions: (given: Partial<AllGiven<Options>>) => readonly OptionFault[] = () => [],
  expected = 'an object with options',
): OptionRule {
  const faultsOf = (option: string, value: unknown): readonly OptionFault[] => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return [{ option, expected, received: printReceived(value) }]
    }
    const { values, faults, unknown } = examineOptions(value, rules)
    const wrong = [...faults, ...unknown]
    const all = wrong.length > 0 ? wrong : contradictions(values as Partial<AllGiven<Options>>)
    return all.map((fault) => ({ ...fault, option: `${option}.${fault.option}` }))
  }
  return { expected, accepts: (value) => faultsOf('', value).length === 0, faults: faultsOf }
}

/** The same, or `false` for going without. */
export function groupedOrFalse<Options>(
  rules: RulesFor<Options>,
  contradictions?: (given: Partial<AllGiven<Options>>) => readonly OptionFault[],
): OptionRule {
  const rule = grouped(rules, contradictions, 'false, or an object with options')
  return { ...rule, accepts: (value) => value === false || rule.accepts(value) }
}
