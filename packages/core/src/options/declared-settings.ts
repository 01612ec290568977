import type { OptionFault } from '../errors/invalid-options-error.js'
import type { Settings } from '../ports/settings.js'
import type { OptionRule } from './option-rules.js'
import { printReceived, printReceivedKind } from './print-received.js'

/** Settings as they are worked with: names in lower case, because servers do not tell `App.Tenant` from `app.tenant`; values as texts. */
export type DeclaredSettings = ReadonlyMap<string, string>

/** The same as PostgreSQL's of a custom setting: words of letters, digits, `_` and `$`, with dots between. */
const NAME = /^[\p{L}_][\p{L}\p{N}_$]*(?:\.[\p{L}_][\p{L}\p{N}_$]*)*$/u

const NAMES = 'words of letters, digits, _ and $, with dots between, like search_path or app.tenant_id'
const VALUES = 'a text, a finite number, true or false'

export const settingsRule: OptionRule = {
  expected: `settings by name: names are ${NAMES}, each once; values are texts, finite numbers, true or false`,
  accepts: (value) => faultsOfSettings('settings', value).length === 0,
  faults: faultsOfSettings,
}

/** A list of names of settings. */
export const settingNames: OptionRule = {
  expected: `an array of names of settings, which are ${NAMES}`,
  accepts: (value) => Array.isArray(value) && value.every((name) => typeof name === 'string' && NAME.test(name)),
}

/** Everything that is wrong with settings, by name. No value is ever printed: it may be somebody's. */
export function faultsOfSettings(option: string, settings: unknown): readonly OptionFault[] {
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) {
    return [{ option, expected: 'an object with settings by name', received: printReceivedKind(settings) }]
  }
  const faults: OptionFault[] = []
  const seen = new Set<string>()
  for (const [name, value] of Object.entries(settings)) {
    const isName = NAME.test(name)
    const folded = name.toLowerCase()
    if (isName && isValue(value) && !seen.has(folded)) {
      seen.add(folded)
      continue
    }
    const at = `${option}.${isName ? name : '(a name)'}`
    if (!isName) faults.push({ option: at, expected: NAMES, received: printReceived(name) })
    else if (seen.has(folded))
      faults.push({ option: at, expected: 'each name once', received: 'the same name in other letters' })
    if (!isValue(value)) faults.push({ option: at, expected: VALUES, received: printReceivedKind(value) })
    seen.add(folded)
  }
  return faults
}

/** Settings that have been checked, in the form in which they are compared; undefined when there are none. */
export function declareSettings(settings: Settings | undefined): DeclaredSettings | undefined {
  if (settings === undefined) return undefined
  const declared = new Map<string, string>()
  for (const name of Object.keys(settings)) declared.set(name.toLowerCase(), String(settings[name]))
  return declared.size === 0 ? undefined : declared
}

export function areSameSettings(one: DeclaredSettings | undefined, other: DeclaredSettings | undefined): boolean {
  if (one === other) return true
  if (one === undefined || other === undefined || one.size !== other.size) return false
  return [...one].every(([name, value]) => other.get(name) === value)
}

/** What is declared when one declares `over` in the midst of `under`: name by name, the inner one decides. */
export function mergeSettings(
  under: DeclaredSettings | undefined,
  over: DeclaredSettings | undefined,
): DeclaredSettings | undefined {
  if (under === undefined || over === undefined) return over ?? under
  return new Map([...under, ...over])
}

function isValue(value: unknown): boolean {
  return (
    typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
  )
}
