import type { OptionFault } from '../errors/invalid-options-error.js'
import { checkOptions, examineOptions } from '../options/check-options.js'
import { transactionRules } from '../options/check-transaction-options.js'
import { flag, nonEmptyText, type OptionRule, type RulesFor } from '../options/option-rules.js'
import { printReceived } from '../options/print-received.js'
import type { DeclaredTransaction } from './declared-transaction.js'

const RULES = { ...transactionRules, pool: nonEmptyText } satisfies RulesFor<DeclaredTransaction>

/**
 * A declared transaction, checked.
 *
 * @param of what reads well before "cannot be used": `@Transactional of Orders.write`.
 * @throws {InvalidOptionsError} naming all that is wrong.
 */
export function checkDeclaredTransaction(of: string, declared: unknown): DeclaredTransaction {
  return checkOptions<DeclaredTransaction>(of, declared, RULES)
}

/** A transaction as an option: true for one with the defaults, its options for another. */
export const declaredTransactionRule: OptionRule = {
  expected: 'true, false, or an object with the options of a transaction',
  accepts: (value) => flag.accepts(value) || (isObject(value) && faultsOf(value).length === 0),
  faults: (option, value) => {
    if (!isObject(value)) {
      return [{ option, received: printReceived(value), expected: declaredTransactionRule.expected }]
    }
    return faultsOf(value).map((fault) => ({ ...fault, option: `${option}.${fault.option}` }))
  },
}

function faultsOf(value: unknown): readonly OptionFault[] {
  const { faults, unknown } = examineOptions(value, RULES)
  return [...faults, ...unknown]
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
