import { areRight, checkOptions } from './check-options.js'
import { settingsRule } from './declared-settings.js'
import { flag, millisecondsOrNever, oneOf, type RulesFor, wholeNumber } from './option-rules.js'
import type { TransactionOptions } from './transaction-options.js'

/** What each option of a transaction must be. */
export const transactionRules = {
  propagation: oneOf('required', 'requires-new', 'nested', 'supports', 'not-supported', 'mandatory', 'never'),
  isolation: oneOf('read uncommitted', 'read committed', 'repeatable read', 'serializable'),
  readOnly: flag,
  deferrable: flag,
  retries: wholeNumber(0),
  timeoutMs: millisecondsOrNever(1),
  settings: settingsRule,
} satisfies RulesFor<TransactionOptions>

/** Refuses the options of a transaction in which anything is wrong, all of it in one error. */
export function checkTransactionOptions(options: unknown): asserts options is TransactionOptions {
  if (!areRight(options, transactionRules)) checkOptions('This transaction', options ?? null, transactionRules)
}
