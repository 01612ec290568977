import {
  callable,
  examineOptions,
  flag,
  millisecondsOrNever,
  objectWith,
  oneOf,
  type OptionFault,
  type OptionRule,
  refuseFaults,
  type RulesFor,
  timeLeft,
} from '@leasehold/core'
import type { LeaseholdOptions } from './leasehold-options.js'
import type { PoolSource } from './pool-source.js'

const pool = objectWith('a pool', ['ready', 'snapshot', 'close'])

const poolSource: OptionRule = {
  expected: 'a pool of Leasehold: what createPool makes, or a facade that has one as `leases`',
  accepts: (value) => pool.accepts(value) || (hasLeases(value) && pool.accepts(value.leases)),
}

const poolsByName: OptionRule = {
  expected: 'an object with one pool or more, by name',
  accepts: (value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0,
}

const RULES = {
  pool: poolSource,
  pools: poolsByName,
  closePool: flag,
  closeDeadlineMs: timeLeft,
  label: callable,
  mode: oneOf('session', 'transaction', 'statement'),
  priority: oneOf('high', 'normal', 'low'),
  deadlineMs: millisecondsOrNever(1),
  errors: flag,
} satisfies RulesFor<LeaseholdOptions>

/** The options of the plugin, checked; the only pool is called `main`. */
export type CheckedOptions = Omit<LeaseholdOptions, 'pool' | 'pools'> & {
  readonly pools: Readonly<Record<string, PoolSource>>
}

/** Refuses options in which anything is wrong, all of it in one error. */
export function checkLeaseholdOptions(options: unknown): CheckedOptions {
  const { values, faults, unknown } = examineOptions(options, RULES)
  refuseFaults('The leasehold plugin', [
    ...faults,
    ...faultsOfPools(values['pools']),
    ...unknown,
    ...contradictions(options, values),
  ])
  const { pool: only, pools, ...rest } = values as unknown as LeaseholdOptions
  return { ...rest, pools: pools ?? { main: only } }
}

/** Each pool of several that is none, by its own name. */
function faultsOfPools(pools: unknown): readonly OptionFault[] {
  if (pools === undefined) return []
  const names = Object.keys(pools as object)
  const given = pools as Record<string, unknown>
  // Null for what is undefined, which would else count as not given.
  const present = Object.fromEntries(names.map((name) => [name, given[name] ?? null]))
  const { faults } = examineOptions(present, Object.fromEntries(names.map((name) => [name, poolSource])))
  return faults.map((fault) => ({ ...fault, option: `pools.${fault.option}` }))
}

function contradictions(options: unknown, values: Readonly<Record<string, unknown>>): readonly OptionFault[] {
  const faults: OptionFault[] = []
  const given = (typeof options === 'object' && options !== null ? options : {}) as Record<string, unknown>
  if (given['pool'] === undefined && given['pools'] === undefined) {
    faults.push({ option: 'pool', received: 'undefined', expected: `${poolSource.expected}; or several as \`pools\`` })
  }
  if (given['pool'] !== undefined && given['pools'] !== undefined) {
    faults.push({ option: 'pools', received: 'both pool and pools', expected: 'one of the two' })
  }
  if (values['closePool'] === false && values['closeDeadlineMs'] !== undefined) {
    const received = 'one, and closePool: false'
    faults.push({ option: 'closeDeadlineMs', received, expected: 'no deadline where nothing is closed' })
  }
  return faults
}

function hasLeases(value: unknown): value is { readonly leases: unknown } {
  return typeof value === 'object' && value !== null && 'leases' in value
}
