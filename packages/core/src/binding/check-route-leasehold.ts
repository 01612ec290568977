import type { OptionFault } from '../errors/invalid-options-error.js'
import { examineOptions, refuseFaults } from '../options/check-options.js'
import { flag, millisecondsOrNever, nonEmptyText, oneOf, type RulesFor } from '../options/option-rules.js'
import type { RouteLeasehold } from './route-leasehold.js'

const RULES = {
  off: flag,
  label: nonEmptyText,
  mode: oneOf('session', 'transaction', 'statement'),
  priority: oneOf('high', 'normal', 'low'),
  cancelOnAbort: flag,
  deadlineMs: millisecondsOrNever(1),
} satisfies RulesFor<RouteLeasehold>

/**
 * What a route says about its scopes, checked.
 *
 * @param of what reads well before "cannot be used": `The route GET /`.
 * @param more the rules of what the routes of this binding may say besides.
 * @throws {InvalidOptionsError} naming all that is wrong.
 */
export function checkRouteLeasehold<Own extends object = object>(
  of: string,
  leasehold: unknown,
  more: RulesFor<Own> = {} as RulesFor<Own>,
): RouteLeasehold & Own {
  const { values, faults, unknown } = examineOptions(leasehold, { ...RULES, ...more })
  refuseFaults(of, [...faults, ...unknown, ...contradictions(values)])
  return values as RouteLeasehold & Own
}

function contradictions(values: Readonly<Record<string, unknown>>): readonly OptionFault[] {
  const others = Object.keys(values).filter((name) => name !== 'off')
  if (values['off'] !== true || others.length === 0) return []
  return [{ option: 'off', received: `true, and ${others.join(', ')}`, expected: 'nothing else with it' }]
}
