import type { OptionFault } from '../errors/invalid-options-error.js'
import { examineOptions } from '../options/check-options.js'
import { callable, flag, type OptionRule, poolIdentity, required, timeLeft } from '../options/option-rules.js'

const poolsByName: OptionRule = {
  expected: 'an object with one pool or more, by name',
  accepts: (value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0,
}

const requestSettings: OptionRule = {
  expected: 'a function that returns settings, or an object with one for each pool, by its name',
  accepts: (value) =>
    callable.accepts(value) ||
    (typeof value === 'object' && value !== null && Object.values(value).every((ask) => callable.accepts(ask))),
}

/** The options with which every binding is told its pools, and what becomes of them in the end. */
export const poolSourceRules = {
  pool: poolIdentity,
  pools: poolsByName,
  closePool: flag,
  closeDeadlineMs: timeLeft,
  settings: requestSettings,
}

/** What is wrong with the pools that a binding was given, beyond what a rule says of one option alone. */
export function faultsOfPoolSources(
  options: unknown,
  values: Readonly<Record<string, unknown>>,
): readonly OptionFault[] {
  const faults: OptionFault[] = [...faultsByName(values['pools'])]
  const given = (typeof options === 'object' && options !== null ? options : {}) as Record<string, unknown>
  if (given['pool'] === undefined && given['pools'] === undefined) {
    faults.push({
      option: 'pool',
      received: 'undefined',
      expected: `${poolIdentity.expected}; or several as \`pools\``,
    })
  }
  if (given['pool'] !== undefined && given['pools'] !== undefined) {
    faults.push({ option: 'pools', received: 'both pool and pools', expected: 'one of the two' })
  }
  if (values['closePool'] === false && values['closeDeadlineMs'] !== undefined) {
    const received = 'one, and closePool: false'
    faults.push({ option: 'closeDeadlineMs', received, expected: 'no deadline where nothing is closed' })
  }
  return [...faults, ...strangersAmongSettings(values)]
}

/** Settings for pools that there are not: they would never be asked for. */
function strangersAmongSettings({ settings, pools }: Readonly<Record<string, unknown>>): readonly OptionFault[] {
  if (typeof settings !== 'object' || settings === null) return []
  const names = Object.keys((pools as object | undefined) ?? { main: true })
  const strangers = Object.keys(settings).filter((name) => !names.includes(name))
  const expected = `the name of a pool: ${names.join(', ')}`
  return strangers.map((name) => ({ option: `settings.${name}`, received: 'a function', expected }))
}

/** Each pool of several that is none, by its own name. */
function faultsByName(pools: unknown): readonly OptionFault[] {
  if (pools === undefined) return []
  const names = Object.keys(pools as object)
  const given = pools as Record<string, unknown>
  const { faults } = examineOptions(given, Object.fromEntries(names.map((name) => [name, required(poolIdentity)])))
  return faults.map((fault) => ({ ...fault, option: `pools.${fault.option}` }))
}
