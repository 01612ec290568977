import {
  callable,
  examineOptions,
  nearestName,
  nonEmptyText,
  type OptionFault,
  type OptionRule,
  type OptionRules,
  refuseFaults,
  required,
  type RulesFor,
} from '@leasehold/core'
import { BEHIND_RULE } from '../settings/behind.js'
import { contradictions, PREPARED_STATEMENTS_RULE } from '../prepared/prepared-statements-options.js'
import { FUNCTIONS_RULE } from '../sql/declared-functions.js'
import { CLIENT_OPTIONS } from './client-options.js'
import type { PgDriverOptions } from './pg-driver.js'

const connection: OptionRule = {
  expected: 'what pg.Client takes (an object or a connection string), or a function that returns it',
  accepts: (value) => callable.accepts(value) || nonEmptyText.accepts(value) || isObject(value),
}

const RULES = {
  Client: callable,
  onConnect: callable,
  resetStatement: nonEmptyText,
  behind: BEHIND_RULE,
  functions: FUNCTIONS_RULE,
  preparedStatements: PREPARED_STATEMENTS_RULE,
} satisfies RulesFor<PgDriverOptions>

const pgsOwn: OptionRule = { expected: 'what pg takes', accepts: () => true }

/** What a client reads besides, where no pool takes it away, and what else a connection string may have held that was parsed. */
const PARSED = [
  'connectionTimeoutMillis',
  'Promise',
  'db',
  'encoding',
  'sslcert',
  'sslkey',
  'sslrootcert',
  'uselibpqcompat',
  'channel_binding',
  'connect_timeout',
  'gssencmode',
  'keepalives',
  'keepalives_idle',
  'target_session_attrs',
]

const CONNECTION_RULES: OptionRules = Object.fromEntries([...CLIENT_OPTIONS, ...PARSED].map((name) => [name, pgsOwn]))

/** Refuses what `pgDriver` cannot connect with, all of it in one error. */
export function checkDriverOptions(config: unknown, options: unknown): void {
  const configured = examineOptions({ config }, { config: required(connection) })
  const { values, faults, unknown } = examineOptions(options, RULES)
  // A class of the user's own may take more than pg's.
  const strangers = values['Client'] === undefined ? strangersIn(config) : []
  const { preparedStatements, behind } = values as PgDriverOptions
  const senseless = contradictions(preparedStatements, { behind })
  refuseFaults('pgDriver', [...configured.faults, ...strangers, ...faults, ...unknown, ...senseless])
}

/** Options that pg would ignore without a word: misspelt ones, and those of a pool. */
function strangersIn(config: unknown): readonly OptionFault[] {
  if (!isObject(config)) return []
  return examineOptions(config, CONNECTION_RULES).unknown.map(({ option, expected, received }) => {
    const isMisspelt = nearestName(option, Object.keys(CONNECTION_RULES)) !== undefined
    const hint = isMisspelt ? '' : '; those of a pool are for createPool()'
    return { option: `config.${option}`, expected: `${expected}${hint}`, received }
  })
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
