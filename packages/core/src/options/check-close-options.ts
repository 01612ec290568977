import { checkOptions } from './check-options.js'
import { required, timeLeft, wholeNumber, type RulesFor } from './option-rules.js'

/** How a pool is closed. */
export interface CloseOptions {
  /** Milliseconds after which what is still lent is taken back. Default 10,000; `Infinity` waits for ever. */
  readonly deadlineMs?: number | undefined
}

const RULES = { deadlineMs: timeLeft } satisfies RulesFor<CloseOptions>

/** Refuses a wrong way of closing a pool. */
export function checkCloseOptions(options: unknown): asserts options is CloseOptions {
  checkOptions('These close options', options ?? null, RULES)
}

/** Refuses a size that a pool with this `min` cannot have. */
export function checkNewMax(max: unknown, min: number): asserts max is number {
  checkOptions('This size', { max }, { max: required(wholeNumber(Math.max(1, min))) })
}
