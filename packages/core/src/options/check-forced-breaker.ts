import { checkOptions } from './check-options.js'
import { oneOf, required } from './option-rules.js'

const RULES = { to: required(oneOf('open', 'closed', 'automatic')) }

/** Refuses what a circuit cannot be forced to be. */
export function checkForcedBreaker(to: unknown): void {
  checkOptions('What forceBreaker() was given', { to }, RULES)
}
