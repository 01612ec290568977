import { checkOptions } from '../options/check-options.js'
import { transactionRules } from '../options/check-transaction-options.js'
import { nonEmptyText, type RulesFor } from '../options/option-rules.js'
import type { DeclaredTransaction } from './declared-transaction.js'

const RULES = { ...transactionRules, pool: nonEmptyText } satisfies RulesFor<DeclaredTransaction>

/**
 * A declared transaction, checked.
 *
 * @param of what reads well before "cannot be used": `@Transactional of Orders.write`.
 * @throws {InvalidOptionsError} naming all that is wrong.
 */
export function checkDeclaredTransaction(of: string, declared: unknown): DeclaredTransaction {
  return checkOptions<DeclaredTransaction>(of, declared ?? {}, RULES)
}
