import { examineOptions, flag, nearestName, type OptionFault, type OptionRule, type OptionRules } from '@leasehold/core'

const drizzlesOwn: OptionRule = { expected: "what Drizzle's types say", accepts: () => true }

const RULES = {
  client: leftOut('it is the pool'),
  connection: leftOut('the pool knows where to connect'),
  // Drizzle 0.45 would take a configuration with another one for a client.
  logger: { expected: 'true, false or an object with logQuery', accepts: isLogger },
  schema: drizzlesOwn,
  cache: drizzlesOwn,
}

/** Besides those: `mode` is for MySQL, and 0.45 looks for it all the same. */
const RULES_OF_0: OptionRules = { ...RULES, casing: drizzlesOwn, mode: drizzlesOwn }
const RULES_OF_1: OptionRules = { ...RULES, relations: drizzlesOwn, jit: drizzlesOwn, codecs: drizzlesOwn }

/**
 * What is wrong with a configuration for Drizzle, in so far as it concerns the pool, and what is in it by mistake. The rest is
 * Drizzle's own to say.
 *
 * @param version of the Drizzle that is installed: 1.0 may still get options that nobody knows today, so that only what is
 * nearly one of its own must have been meant for it.
 */
export function checkDrizzleConfig(config: unknown, version: string): readonly OptionFault[] {
  const isOld = version.startsWith('0.')
  const rules = isOld ? RULES_OF_0 : RULES_OF_1
  const { faults, unknown } = examineOptions(config, rules)
  const isMistake = ({ option }: OptionFault): boolean => isOld || nearestName(option, Object.keys(rules)) !== undefined
  return [...faults, ...unknown.filter(isMistake)]
}

function leftOut(why: string): OptionRule {
  return { expected: `to be left out: ${why}`, accepts: () => false }
}

function isLogger(value: unknown): boolean {
  if (flag.accepts(value)) return true
  return typeof value === 'object' && value !== null && 'logQuery' in value && typeof value.logQuery === 'function'
}
