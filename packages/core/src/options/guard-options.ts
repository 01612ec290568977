import type { AllGiven } from './all-given.js'
import type { OptionFault } from '../errors/invalid-options-error.js'
import { groupedOrFalse } from './grouped-options.js'
import { flag, milliseconds, type OptionRule, type RulesFor, share, wholeNumberOrNoLimit } from './option-rules.js'

/** When opening connections counts as hopeless, and how the pool finds out that it is not any more. */
export interface BreakerOptions {
  /** The circuit opens after so many failures in a row. Default 5; `Infinity` for never. */
  readonly consecutiveFailures?: number | undefined
  /** It opens when this share of attempts, from 0 to 1, has failed within `windowMs`. Default 0.5. */
  readonly failureRate?: number | undefined
  /** Attempts within `windowMs` below which `failureRate` says nothing. Default 10; `Infinity` for never. */
  readonly minimumAttempts?: number | undefined
  /** Default 30,000. */
  readonly windowMs?: number | undefined
  /** How long the circuit stays open before one connection is tried. Default 1,000; doubled after each try that fails. */
  readonly probeAfterMs?: number | undefined
  /** The longest pause between two tries. Default 30,000. Pauses are shortened by up to a fifth at random. */
  readonly maxProbeAfterMs?: number | undefined
  /** Tells when it would have opened (the `breaker` event), and forbids nothing. Default false; true in a pool that observes. */
  readonly reportOnly?: boolean | undefined
}

/** How long the pool waits after an attempt to connect has failed: decorrelated jitter. */
export interface BackoffOptions {
  /** The shortest pause. Default 100. */
  readonly baseMs?: number | undefined
  /** The longest pause. Default 2,000. */
  readonly capMs?: number | undefined
}

export type ResolvedBreakerOptions = AllGiven<BreakerOptions>
export type ResolvedBackoffOptions = AllGiven<BackoffOptions>

const BREAKER_RULES: RulesFor<BreakerOptions> = {
  consecutiveFailures: wholeNumberOrNoLimit(1),
  failureRate: share,
  minimumAttempts: wholeNumberOrNoLimit(1),
  windowMs: milliseconds(100),
  probeAfterMs: milliseconds(1),
  maxProbeAfterMs: milliseconds(1),
  reportOnly: flag,
}

const BACKOFF_RULES: RulesFor<BackoffOptions> = { baseMs: milliseconds(1), capMs: milliseconds(1) }

const BREAKER_DEFAULTS: ResolvedBreakerOptions = {
  consecutiveFailures: 5,
  failureRate: 0.5,
  minimumAttempts: 10,
  windowMs: 30_000,
  probeAfterMs: 1_000,
  maxProbeAfterMs: 30_000,
  reportOnly: false,
}

const BACKOFF_DEFAULTS: ResolvedBackoffOptions = { baseMs: 100, capMs: 2_000 }

/** The breaker's options with their defaults. */
export function resolveBreaker(given: BreakerOptions | false | undefined): ResolvedBreakerOptions | false {
  return given === false ? false : resolved(BREAKER_DEFAULTS, given)
}

/** The backoff's options with their defaults. */
export function resolveBackoff(given: BackoffOptions | false | undefined): ResolvedBackoffOptions | false {
  return given === false ? false : resolved(BACKOFF_DEFAULTS, given)
}

function resolved<Options extends object>(defaults: Options, given: object | undefined): Options {
  const values = Object.entries(given ?? {}).filter(([, value]) => value !== undefined)
  return Object.freeze({ ...defaults, ...(Object.fromEntries(values) as Partial<Options>) })
}

/** `breaker`: false, or its options, of which no pause is longer than the longest. */
export const breakerRule: OptionRule = groupedOrFalse(BREAKER_RULES, (given) => {
  const { probeAfterMs, maxProbeAfterMs } = { ...BREAKER_DEFAULTS, ...given }
  return notBelow('maxProbeAfterMs', maxProbeAfterMs, 'probeAfterMs', probeAfterMs)
})

/** `backoff`: false, or its options. */
export const backoffRule: OptionRule = groupedOrFalse(BACKOFF_RULES, (given) => {
  const { baseMs, capMs } = { ...BACKOFF_DEFAULTS, ...given }
  return notBelow('capMs', capMs, 'baseMs', baseMs)
})

function notBelow(option: string, value: number, other: string, least: number): readonly OptionFault[] {
  if (value >= least) return []
  return [{ option, received: `${value}`, expected: `at least ${other}, which is ${least}` }]
}
