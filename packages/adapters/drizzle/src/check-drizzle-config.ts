import { examineOptions, flag, type OptionFault, type OptionRule } from '@leasehold/core'

const RULES = {
  client: leftOut('it is the pool'),
  connection: leftOut('the pool knows where to connect'),
  // Drizzle 0.45 would take a configuration with another one for a client.
  logger: { expected: 'true, false or an object with logQuery', accepts: isLogger },
}

/** What is wrong with a configuration for Drizzle, in so far as it concerns the pool. The rest is Drizzle's own to say. */
export function checkDrizzleConfig(config: unknown): readonly OptionFault[] {
  return examineOptions(config, RULES).faults
}

function leftOut(why: string): OptionRule {
  return { expected: `to be left out: ${why}`, accepts: () => false }
}

function isLogger(value: unknown): boolean {
  if (flag.accepts(value)) return true
  return typeof value === 'object' && value !== null && 'logQuery' in value && typeof value.logQuery === 'function'
}
