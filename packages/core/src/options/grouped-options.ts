import type { OptionFault } from '../errors/invalid-options-error.js'
import { examineOptions } from './check-options.js'
import type { OptionRule, OptionRules } from './option-rules.js'

/** Several options under one name, which `false` switches off where `offBy` says so. */
export function grouped(rules: OptionRules, offBy: 'false' | 'nothing' = 'nothing'): OptionRule {
  const faults = (option: string, value: unknown): readonly OptionFault[] => {
    const examined = examineOptions(value ?? null, rules)
    return [...examined.faults, ...examined.unknown].map((fault) => ({
      ...fault,
      option: fault.option === 'options' ? option : `${option}.${fault.option}`,
      expected: fault.option === 'options' && offBy === 'false' ? `${fault.expected}, or false` : fault.expected,
    }))
  }
  return {
    expected: `an object with ${Object.keys(rules).join(' and ')}${offBy === 'false' ? ', or false' : ''}`,
    accepts: (value) => (value === false && offBy === 'false') || faults('', value).length === 0,
    faults,
  }
}
