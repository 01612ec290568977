import { InvalidOptionsError, type OptionFault } from '../errors/invalid-options-error.js'
import { hasNames } from './has-names.js'
import { nearestName } from './nearest-name.js'
import type { OptionRules } from './option-rules.js'
import { printReceived, printReceivedKind } from './print-received.js'

/** What options turned out to be: the good values, and everything that is wrong. */
export interface ExaminedOptions {
  /** The options that were given and are right; an explicit `undefined` counts as not given. */
  readonly values: Readonly<Record<string, unknown>>
  /** Options with a wrong value. */
  readonly faults: readonly OptionFault[]
  /** Options that nobody knows. */
  readonly unknown: readonly OptionFault[]
}

const NOTHING: ExaminedOptions = { values: {}, faults: [], unknown: [] }

/** Looks at options without judging them, for whoever has more to say about them or treats unknown names in its own way. */
export function examineOptions(options: unknown, rules: OptionRules): ExaminedOptions {
  if (options === undefined && !Object.values(rules).some(({ isRequired }) => isRequired)) return NOTHING
  if (!hasNames(options)) {
    return { values: {}, faults: [faultOf('options', 'an object', printReceivedKind(options))], unknown: [] }
  }
  const given = options as Record<string, unknown>
  const values: Record<string, unknown> = {}
  const faults: OptionFault[] = []
  for (const [name, rule] of Object.entries(rules)) {
    const value = given[name]
    if (value === undefined && rule.isRequired !== true) continue
    if (rule.accepts(value)) values[name] = value
    else faults.push(...(rule.faults?.(name, value) ?? [faultOf(name, rule.expected, printReceived(value))]))
  }
  const unknown = Object.keys(given)
    .filter((name) => !Object.hasOwn(rules, name) && given[name] !== undefined)
    .map((name) => unknownOption(name, given[name], Object.keys(rules)))
  return { values, faults, unknown }
}

/** Refuses options in which anything is wrong, all of it in one error; otherwise returns those that were given. */
export function checkOptions<Options>(of: string, options: unknown, rules: OptionRules): Partial<Options> {
  const { values, faults, unknown } = examineOptions(options, rules)
  refuseFaults(of, [...faults, ...unknown])
  return values as Partial<Options>
}

/**
 * Whether nothing is wrong with options, for what is checked so often that options which are right must cost no more
 * than a look at each of them.
 */
export function areRight(options: unknown, rules: OptionRules): boolean {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return false
  const given = options as Record<string, unknown>
  let isEmpty = true
  for (const name in given) {
    isEmpty = false
    const value = given[name]
    if (value === undefined) continue
    if (!Object.hasOwn(rules, name) || rules[name]?.accepts(value) !== true) return false
  }
  return !isEmpty || hasNames(options)
}

/** Throws `LEASEHOLD_INVALID_OPTIONS` if there are any faults. */
export function refuseFaults(of: string, faults: readonly OptionFault[]): void {
  if (faults.length > 0) throw new InvalidOptionsError(of, faults)
}

function unknownOption(name: string, value: unknown, known: readonly string[]): OptionFault {
  const nearest = nearestName(name, known)
  const hint = nearest === undefined ? '' : ` (did you mean ${nearest}?)`
  return faultOf(name, `no option of this name${hint}`, printReceivedKind(value))
}

function faultOf(option: string, expected: string, received: string): OptionFault {
  return { option, expected, received }
}
