import type { AcquireRequest } from './acquire-request.js'
import { checkOptions } from './check-options.js'
import {
  abortSignal,
  nonEmptyText,
  oneOf,
  settings,
  timeLeft,
  type OptionRules,
  type RulesFor,
} from './option-rules.js'

const RULES = {
  timeoutMs: timeLeft,
  signal: abortSignal,
  priority: oneOf('high', 'normal', 'low'),
  settings,
  label: nonEmptyText,
  hold: oneOf('long'),
} satisfies RulesFor<AcquireRequest>

/**
 * Refuses a request in which anything is wrong. It stands on the way of every acquire that is given one, so a request
 * that is right costs a look at each of its keys and no allocation.
 */
export function checkAcquireRequest(request: unknown): asserts request is AcquireRequest {
  if (!isRight(request)) checkOptions('This acquire request', request ?? null, RULES)
}

function isRight(request: unknown): boolean {
  if (typeof request !== 'object' || request === null || Array.isArray(request)) return false
  const given = request as Record<string, unknown>
  for (const name in given) {
    const value = given[name]
    if (value === undefined) continue
    if (!Object.hasOwn(RULES, name) || !(RULES as OptionRules)[name]?.accepts(value)) return false
  }
  return true
}
