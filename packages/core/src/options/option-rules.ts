import type { OptionFault } from '../errors/invalid-options-error.js'

/** What one option must be. */
export interface OptionRule {
  /** What reads well after "expected": `a whole number from 1 on`. */
  readonly expected: string
  readonly accepts: (value: unknown) => boolean
  /** All that is wrong with a value that is not accepted, where more can be said than that. */
  readonly faults?: (option: string, value: unknown) => readonly OptionFault[]
  /** Whether it is a fault that nothing was given. */
  readonly isRequired?: boolean
}

/** What the options of one function must be, by name. Every name that is not in it is refused. */
export type OptionRules = Readonly<Record<string, OptionRule>>

/** The rules of all options of one interface, so that none of them can be forgotten. */
export type RulesFor<Options> = { readonly [Name in keyof Options]-?: OptionRule }

/** The same for what must be given. */
export function required(rule: OptionRule): OptionRule {
  return { ...rule, isRequired: true }
}

const POOL_METHODS = ['ready', 'snapshot', 'close']

/** A count of things, from `least` on, that has an end. */
export function wholeNumber(least: number): OptionRule {
  return { expected: `a whole number from ${least} on`, accepts: (value) => isWhole(value, least) }
}

/** A count of things, or `Infinity` for "no limit". */
export function wholeNumberOrNoLimit(least: number): OptionRule {
  return {
    expected: `a whole number from ${least} on, or Infinity`,
    accepts: (value) => value === Infinity || isWhole(value, least),
  }
}

/** A duration that must end. */
export function milliseconds(least: number): OptionRule {
  return { expected: `whole milliseconds from ${least} on`, accepts: (value) => isWhole(value, least) }
}

/** A duration, or `Infinity` for "never". */
export function millisecondsOrNever(least: number): OptionRule {
  return {
    expected: `whole milliseconds from ${least} on, or Infinity`,
    accepts: (value) => value === Infinity || isWhole(value, least),
  }
}

/** What is left of a duration. Callers subtract clocks to get it, so that fractions are as good as whole numbers. */
export const timeLeft: OptionRule = {
  expected: 'milliseconds from 0 on, or Infinity',
  accepts: (value) => typeof value === 'number' && value >= 0,
}

export const flag: OptionRule = {
  expected: 'true or false',
  accepts: (value) => typeof value === 'boolean',
}

/** A name that people read: a label, a pool's name. */
export const nonEmptyText: OptionRule = {
  expected: 'a text that is not empty',
  accepts: (value) => typeof value === 'string' && value.trim() !== '',
}

export const share: OptionRule = {
  expected: 'a number from 0 to 1',
  accepts: (value) => typeof value === 'number' && value >= 0 && value <= 1,
}

export const callable: OptionRule = {
  expected: 'a function',
  accepts: (value) => typeof value === 'function',
}

/** Looked at by shape: a signal may come from another realm, as under Jest, or from a polyfill. */
export const abortSignal: OptionRule = {
  expected: 'an AbortSignal',
  accepts: (value) => hasMethods(value, ['addEventListener', 'removeEventListener']) && 'aborted' in value,
}

/** What `captureSite()` gives. */
export const site: OptionRule = {
  expected: 'a site from captureSite()',
  accepts: (value) => isRecord(value) && 'place' in value,
}

/** One of a few words. */
export function oneOf(...words: readonly [string, ...string[]]): OptionRule {
  return {
    expected: words.map((word) => `'${word}'`).join(' or '),
    accepts: (value) => typeof value === 'string' && words.includes(value),
  }
}

/** An implementation of a port: an object with these methods. */
export function objectWith(what: string, methods: readonly string[]): OptionRule {
  return {
    expected: `${what}: an object with ${methods.map((method) => `${method}()`).join(' and ')}`,
    accepts: (value) => hasMethods(value, methods),
  }
}

/** A pool that something is meant for: what `createPool` makes, or a facade. */
export const poolIdentity: OptionRule = {
  expected: 'a pool of Leasehold: what createPool makes, or a facade that has one as `leases`',
  accepts: (value) => hasMethods(value, POOL_METHODS) || (isRecord(value) && hasMethods(value['leases'], POOL_METHODS)),
}

function isWhole(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function hasMethods(value: unknown, methods: readonly string[]): value is Record<string, unknown> {
  return isRecord(value) && methods.every((method) => typeof value[method] === 'function')
}
