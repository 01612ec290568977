import type { AcquireRequest } from './acquire-request.js'
import { areRight, checkOptions } from './check-options.js'
import { settingsRule } from './declared-settings.js'
import { abortSignal, flag, nonEmptyText, oneOf, site, timeLeft, type RulesFor } from './option-rules.js'

const RULES = {
  timeoutMs: timeLeft,
  signal: abortSignal,
  priority: oneOf('high', 'normal', 'low'),
  settings: settingsRule,
  defaultSettings: settingsRule,
  label: nonEmptyText,
  statement: flag,
  hold: oneOf('long'),
  site,
} satisfies RulesFor<AcquireRequest>

/**
 * Refuses a request in which anything is wrong. It stands on the way of every acquire that is given one, so a request
 * that is right costs a look at each of its keys and no allocation.
 */
export function checkAcquireRequest(request: unknown): asserts request is AcquireRequest {
  if (!areRight(request, RULES)) checkOptions('This acquire request', request ?? null, RULES)
}
