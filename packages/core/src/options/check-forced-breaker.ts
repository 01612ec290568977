import { checkOptions } from './check-options.js'
import { oneOf } from './option-rules.js'

const RULES = { to: oneOf('open', 'closed', 'automatic') }

/** Refuses what a circuit cannot be forced to be. */
export function checkForcedBreaker(to: unknown): void {
  checkOptions('What forceBreaker() was given', { to: to ?? null }, RULES)
}
