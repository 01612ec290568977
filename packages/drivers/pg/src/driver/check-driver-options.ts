import { callable, examineOptions, nonEmptyText, type OptionRule, refuseFaults, type RulesFor } from '@leasehold/core'
import { BEHIND_RULE } from '../settings/behind.js'
import { FUNCTIONS_RULE } from '../sql/declared-functions.js'
import type { PgDriverOptions } from './pg-driver.js'

const connection: OptionRule = {
  expected: 'what pg.Client takes (an object or a connection string), or a function that returns it',
  accepts: (value) =>
    callable.accepts(value) ||
    nonEmptyText.accepts(value) ||
    (typeof value === 'object' && value !== null && !Array.isArray(value)),
}

const RULES = {
  Client: callable,
  onConnect: callable,
  resetStatement: nonEmptyText,
  behind: BEHIND_RULE,
  functions: FUNCTIONS_RULE,
} satisfies RulesFor<PgDriverOptions>

/** Refuses what `pgDriver` cannot connect with, all of it in one error. */
export function checkDriverOptions(config: unknown, options: unknown): void {
  const configured = examineOptions({ config: config ?? null }, { config: connection })
  const { faults, unknown } = examineOptions(options ?? null, RULES)
  refuseFaults('pgDriver', [...configured.faults, ...faults, ...unknown])
}
