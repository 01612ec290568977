import {
  callable,
  examineOptions,
  faultsOfPoolOptions,
  flag,
  InvalidOptionsError,
  nonEmptyText,
  oneOf,
  type OptionFault,
  type OptionRule,
  type OptionRules,
  type PoolOptions,
  printReceived,
  printReceivedKind,
  wholeNumber,
} from '@leasehold/core'
import type * as pg from 'pg'
import { BEHIND_RULE } from '../settings/behind.js'
import { contradictions, PREPARED_STATEMENTS_RULE } from '../prepared/prepared-statements-options.js'
import { FUNCTIONS_RULE } from '../sql/declared-functions.js'
import type { LeasedPgPoolOptions, LeaseholdOptions, SortedOptions } from './facade-options.js'
import { POOL_OPTIONS, warnOfUnknownOptions } from './known-options.js'

type Options = PoolOptions<pg.Client>

/** pg-pool compares without looking at types, so that a text from the environment works as the number in it. */
const numeric = (rule: OptionRule): OptionRule => ({
  ...rule,
  accepts: (value) => value === null || rule.accepts(asNumber(value)),
})

const seconds: OptionRule = {
  expected: 'seconds from 0 on',
  accepts: (value) => typeof value === 'number' && value >= 0 && value < Infinity,
}
const countOrNone: OptionRule = {
  expected: 'a whole number from 0 on, or Infinity',
  accepts: (value) => value === Infinity || wholeNumber(0).accepts(value),
}
const wholeMilliseconds: OptionRule = { ...wholeNumber(0), expected: 'whole milliseconds from 0 on' }

const PG_RULES: OptionRules = {
  max: numeric(wholeNumber(0)),
  poolSize: numeric(wholeNumber(0)),
  min: numeric(wholeNumber(0)),
  idleTimeoutMillis: numeric(wholeMilliseconds),
  connectionTimeoutMillis: numeric(wholeMilliseconds),
  maxUses: numeric(countOrNone),
  maxLifetimeSeconds: numeric(seconds),
  allowExitOnIdle: flag,
  verify: callable,
  onConnect: callable,
  log: callable,
  Client: callable,
  Promise: callable,
  leasehold: { expected: 'an object', accepts: isObject },
}

const OWN_RULES: OptionRules = {
  compat: oneOf('pg-pool'),
  connection: callable,
  resetStatement: nonEmptyText,
  behind: BEHIND_RULE,
  functions: FUNCTIONS_RULE,
  preparedStatements: PREPARED_STATEMENTS_RULE,
}

/** One option of pg-pool, and those of ours that say the same. */
interface Equivalent {
  readonly name: keyof typeof PG_RULES
  readonly ours: ReadonlyArray<keyof PoolOptions>
  /** The value as our options have it; undefined where pg-pool takes it for "not given". */
  readonly translate: (value: unknown) => number | boolean | undefined
}

const OPTIONS = 'These options of LeasedPgPool'

const orNever = (value: number): number => (value === 0 ? Infinity : value)

const EQUIVALENTS: readonly Equivalent[] = [
  { name: 'poolSize', ours: ['max'], translate: (value) => asNumber(value) || undefined },
  { name: 'max', ours: ['max'], translate: (value) => asNumber(value) || undefined },
  { name: 'min', ours: ['min'], translate: asNumber },
  { name: 'idleTimeoutMillis', ours: ['idleTimeoutMs'], translate: (value) => orNever(asNumber(value) ?? 0) },
  {
    name: 'connectionTimeoutMillis',
    ours: ['acquireTimeoutMs', 'connectTimeoutMs'],
    translate: (value) => orNever(asNumber(value) ?? 0),
  },
  { name: 'maxUses', ours: ['maxUses'], translate: (value) => orNever(asNumber(value) ?? 0) },
  {
    name: 'maxLifetimeSeconds',
    ours: ['maxLifetimeMs'],
    translate: (value) => orNever(Math.round((asNumber(value) ?? 0) * 1_000)),
  },
  { name: 'allowExitOnIdle', ours: ['allowExitOnIdle'], translate: (value) => value === true },
]

/** What pg-pool does that ours would not, in the options of the core pool. */
const COMPAT: Options = {
  maxConnecting: Infinity,
  checkAfterIdleMs: Infinity,
  maxLifetimeMs: Infinity,
  queueDelay: false,
  breaker: false,
  backoff: false,
}

/**
 * Sorts the options of a facade by whom they are for, in our terms.
 *
 * @throws {InvalidOptionsError} naming all values of pg-pool's options and of ours that make no sense, and all that say
 * one thing at the top and another under `leasehold`.
 */
export function sortOptions(options: LeasedPgPoolOptions | undefined): SortedOptions {
  if (!isObject(options ?? {})) {
    const expected = 'an object, as pg.Pool takes it: { connectionString: … }'
    throw new InvalidOptionsError(OPTIONS, [{ option: 'options', expected, received: printReceivedKind(options) }])
  }
  const given = (options ?? {}) as Readonly<Record<string, unknown>>
  warnOfUnknownOptions(given)
  const said: LeaseholdOptions = isObject(given['leasehold']) ? given['leasehold'] : {}
  const { compat, connection, resetStatement, behind, functions, preparedStatements, ...leasehold } = said
  const { values, faults } = examineOptions(given, PG_RULES)
  const own = examineOptions({ compat, connection, resetStatement, behind, functions, preparedStatements }, OWN_RULES)
  const { translated, disagreeing } = translate(values, leasehold)
  const senseless = contradictions(preparedStatements, { compat, behind, observe: leasehold.observe })
  const wrong = [...faults, ...[...own.faults, ...senseless].map(under), ...disagreeing]
  const isCompat = compat === 'pg-pool'
  if (isCompat && leasehold.mode !== undefined && leasehold.mode !== 'transaction') {
    const received = `'${leasehold.mode}' with compat: 'pg-pool'`
    wrong.push({ option: 'leasehold.mode', received, expected: "'transaction', because bare clients cannot be fenced" })
  }
  const merged = withoutUndefined({ ...(isCompat ? COMPAT : {}), ...translated, ...leasehold })
  wrong.push(...faultsOfCore(merged, leasehold, new Set(faults.map(({ option }) => option))))
  if (wrong.length > 0) throw new InvalidOptionsError(OPTIONS, wrong)
  const floor = isCompat ? floorOf(merged) : undefined
  return {
    pool: patient(floor === undefined ? merged : { ...merged, min: 0, idleTimeoutMs: Infinity }),
    isCompat,
    connection: connectionOf(options ?? {}, connection),
    resetStatement,
    functions,
    behind,
    preparedStatements,
    idleFloor: floor,
  }
}

function translate(
  values: Readonly<Record<string, unknown>>,
  leasehold: Options,
): { readonly translated: Options; readonly disagreeing: readonly OptionFault[] } {
  const translated: Record<string, unknown> = {}
  const disagreeing: OptionFault[] = []
  for (const { name, ours, translate: toOurs } of EQUIVALENTS) {
    if (values[name] === undefined) continue
    const value = toOurs(values[name])
    if (value === undefined) continue
    for (const our of ours) {
      translated[our] = value
      const other = leasehold[our]
      if (other === undefined || other === value) continue
      const expected = `the same as ${name}, which makes it ${value}`
      disagreeing.push({
        option: `leasehold.${our}`,
        received: printReceived(other),
        expected,
      })
    }
  }
  return { translated, disagreeing }
}

/**
 * A dial is given up just before its caller is: of two ends at the same moment, that of the dial has more to say.
 */
function patient(pool: Options): Options {
  const { acquireTimeoutMs = 5_000, connectTimeoutMs = 5_000 } = pool
  if (acquireTimeoutMs !== connectTimeoutMs || connectTimeoutMs === Infinity || connectTimeoutMs < 2) return pool
  return { ...pool, connectTimeoutMs: connectTimeoutMs - 1 }
}

/** pg-pool's `min` opens nothing: it only tells the idle timeout where to stop. */
function floorOf(pool: Options): SortedOptions['idleFloor'] {
  const { min = 0, idleTimeoutMs = 10_000 } = pool
  return min > 0 && idleTimeoutMs !== Infinity ? { min, idleTimeoutMs } : undefined
}

/** The settings for `new Client`, without those of the pool. A password hides from loops, and must be named. */
function connectionOf(
  options: LeasedPgPoolOptions,
  asked: LeaseholdOptions['connection'],
): SortedOptions['connection'] {
  const fixed: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(options)) if (!POOL_OPTIONS.has(name)) fixed[name] = value
  if (options.password !== undefined) fixed['password'] = options.password
  if (asked === undefined) return fixed
  return async () => {
    const answer: unknown = await asked()
    if (isObject(answer)) return { ...(fixed as pg.ClientConfig), ...answer }
    const expected = 'an object with connection settings'
    throw new InvalidOptionsError('What `leasehold.connection` returned', [
      { option: 'connection', expected, received: printReceivedKind(answer) },
    ])
  }
}

function asNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' && value.trim() !== '' ? Number(value) : undefined
}

/** What the core pool would refuse, by the names under which it was said here. */
function faultsOfCore(merged: Options, leasehold: Options, named: ReadonlySet<string>): readonly OptionFault[] {
  return faultsOfPoolOptions(merged)
    .filter(({ option }) => !named.has(option))
    .map((fault) => (nameOf(fault) in leasehold ? under(fault) : fault))
}

/** `breaker.windowMs` is said in `breaker`. */
function nameOf({ option }: OptionFault): string {
  return option.split('.')[0] ?? option
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function under(fault: OptionFault): OptionFault {
  return { ...fault, option: `leasehold.${fault.option}` }
}

function withoutUndefined(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
