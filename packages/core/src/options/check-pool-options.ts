import type { OptionFault } from '../errors/invalid-options-error.js'
import type { Clock } from '../ports/clock.js'
import { examineOptions, refuseFaults } from './check-options.js'
import { settingNames } from './declared-settings.js'
import { leakActions, resolveLeakActions } from './leak-actions.js'
import {
  callable,
  flag,
  milliseconds,
  millisecondsOrNever,
  nonEmptyText,
  objectWith,
  oneOf,
  share,
  wholeNumber,
  wholeNumberOrNoLimit,
  type RulesFor,
} from './option-rules.js'
import { queueDelayRule, utilizationRule, waitingByPriorityRule } from './overload-rules.js'
import { backoffRule, breakerRule, resolveBackoff, resolveBreaker } from './guard-options.js'
import type { PoolOptions, ResolvedPoolOptions } from './pool-options.js'
import { printReceived } from './print-received.js'

const RULES: RulesFor<PoolOptions> = {
  name: nonEmptyText,
  min: wholeNumber(0),
  max: wholeNumber(1),
  overflow: wholeNumber(0),
  maxConnecting: wholeNumberOrNoLimit(1),
  acquireTimeoutMs: millisecondsOrNever(0),
  maxWaiting: wholeNumberOrNoLimit(0),
  maxWaitingByPriority: waitingByPriorityRule,
  maxPerScope: wholeNumberOrNoLimit(1),
  queueDelay: queueDelayRule,
  utilization: utilizationRule,
  queryTimeoutMs: millisecondsOrNever(1),
  cancelOnAbort: flag,
  connectTimeoutMs: millisecondsOrNever(1),
  breaker: breakerRule,
  backoff: backoffRule,
  classify: callable,
  idleTimeoutMs: millisecondsOrNever(0),
  idleOrder: oneOf('lifo', 'fifo'),
  maxLifetimeMs: millisecondsOrNever(1),
  maxUses: wholeNumberOrNoLimit(1),
  checkAfterIdleMs: millisecondsOrNever(0),
  checkTimeoutMs: milliseconds(1),
  check: callable,
  keepaliveMs: millisecondsOrNever(1),
  warmUp: oneOf('lazy', 'eager', 'required'),
  mode: oneOf('session', 'transaction', 'statement'),
  // These three end what a closing scope or pool waits for. Without an end, a dead peer could hold a slot for ever.
  resetTimeoutMs: milliseconds(1),
  closeTimeoutMs: milliseconds(0),
  closeGraceMs: milliseconds(0),
  leaks: leakActions,
  leakAfterMs: millisecondsOrNever(1),
  idleInTransactionMs: millisecondsOrNever(1),
  deadlockGraceMs: millisecondsOrNever(1),
  pinWarnMs: millisecondsOrNever(1),
  verifySessions: share,
  lateAcquire: oneOf('detach', 'refuse'),
  captureSites: oneOf('adaptive', 'always', 'off'),
  requireSettings: settingNames,
  joinTransactions: oneOf('declared', 'all', 'off'),
  observe: flag,
  allowExitOnIdle: flag,
  clock: objectWith('a clock', ['now', 'wake']),
}

const DEFAULTS: Omit<ResolvedPoolOptions, 'name' | 'check' | 'classify' | 'clock' | 'breaker' | 'backoff' | 'leaks'> = {
  min: 0,
  max: 10,
  overflow: 0,
  maxConnecting: 2,
  acquireTimeoutMs: 5_000,
  maxWaiting: Infinity,
  maxWaitingByPriority: {},
  maxPerScope: Infinity,
  queueDelay: {},
  utilization: {},
  queryTimeoutMs: Infinity,
  cancelOnAbort: true,
  connectTimeoutMs: 5_000,
  idleTimeoutMs: 10_000,
  idleOrder: 'lifo',
  maxLifetimeMs: 1_800_000,
  maxUses: Infinity,
  checkAfterIdleMs: 1_000,
  checkTimeoutMs: 1_000,
  keepaliveMs: Infinity,
  warmUp: 'lazy',
  mode: 'transaction',
  resetTimeoutMs: 5_000,
  closeTimeoutMs: 1_000,
  closeGraceMs: 5_000,
  leakAfterMs: 30_000,
  idleInTransactionMs: 30_000,
  deadlockGraceMs: 100,
  pinWarnMs: 30_000,
  verifySessions: 0,
  lateAcquire: 'detach',
  captureSites: 'adaptive',
  requireSettings: [],
  joinTransactions: 'declared',
  observe: false,
  allowExitOnIdle: false,
}

const poolsNamed = new Map<string, number>()

/**
 * The options of a pool, merged with their defaults, checked and frozen. Everything that is wrong is reported together
 * in one `InvalidOptionsError`. `maxConnecting` may exceed `max + overflow`: the slots bound it anyway, and `resize`
 * may raise `max` later.
 */
export function checkPoolOptions<Client>(
  options: unknown,
  driverName: string,
  defaults: { readonly clock: Clock },
): ResolvedPoolOptions<Client> {
  const { values, merged, faults } = examinePoolOptions<Client>(options, defaults)
  refuseFaults('These pool options', faults)
  // A refused pool uses up no number, so that names stay the same from run to run.
  return Object.freeze({ ...merged, name: values['name'] === undefined ? nextNameFor(driverName) : merged.name })
}

/** All that is wrong with the options of a pool: for facades, which report it together with what is wrong with their own. */
export function faultsOfPoolOptions(options: unknown): readonly OptionFault[] {
  return examinePoolOptions(options, {}).faults
}

interface ExaminedPoolOptions<Client> {
  readonly values: Readonly<Record<string, unknown>>
  readonly merged: ResolvedPoolOptions<Client>
  readonly faults: readonly OptionFault[]
}

function examinePoolOptions<Client>(options: unknown, defaults: object): ExaminedPoolOptions<Client> {
  const { values, faults, unknown } = examineOptions(options, RULES)
  const { breaker, backoff, leaks } = values as PoolOptions
  const nested = {
    breaker: resolveBreaker(breaker),
    backoff: resolveBackoff(backoff),
    leaks: resolveLeakActions(leaks),
  }
  const merged = { ...DEFAULTS, ...defaults, ...values, ...nested } as ResolvedPoolOptions<Client>
  const wrong = new Set(faults.map((fault) => fault.option))
  const contradictions = contradictionsOf(merged, values).filter(
    ({ between }) => !between.some((name) => wrong.has(name)),
  )
  return { values, merged, faults: [...faults, ...unknown, ...contradictions.map(({ fault }) => fault)] }
}

interface Contradiction {
  /** An option of these that is wrong by itself is reported as that; its default contradicts nobody. */
  readonly between: readonly string[]
  readonly fault: OptionFault
}

/** Options that are right each by itself and cannot be meant together. */
function contradictionsOf(merged: PoolOptionsInForce, given: Readonly<Record<string, unknown>>): Contradiction[] {
  const found: Contradiction[] = []
  const refuse = (option: keyof PoolOptionsInForce, other: keyof PoolOptionsInForce, expected: string): void => {
    const origin = given[option] === undefined ? ' (the default)' : ''
    const fault = { option, expected, received: `${printReceived(merged[option])}${origin}` }
    found.push({ between: [option, other], fault })
  }
  const { min, max, keepaliveMs, maxLifetimeMs } = merged
  if (min > max) refuse('max', 'min', `at least min, which is ${min}`)
  if (keepaliveMs !== Infinity && keepaliveMs >= maxLifetimeMs) {
    refuse(
      'keepaliveMs',
      'maxLifetimeMs',
      `less than maxLifetimeMs, which is ${maxLifetimeMs}, or no connection lives to be checked`,
    )
  }
  return found
}

type PoolOptionsInForce = Omit<ResolvedPoolOptions, 'check' | 'classify'>

function nextNameFor(driverName: string): string {
  const number = (poolsNamed.get(driverName) ?? 0) + 1
  poolsNamed.set(driverName, number)
  return `${driverName}-${number}`
}
