import {
  callable,
  examineOptions,
  flag,
  millisecondsOrNever,
  nonEmptyText,
  type OptionFault,
  type OptionRule,
  type OptionRules,
} from '@leasehold/core'
import type { Knex } from 'knex'
import type { PgDialectClass } from './knex-internals.js'

const CLIENTS = ['pg', 'postgres', 'postgresql']

/** Where the options of Knex's own pool have gone. */
const POOL_EQUIVALENTS: Readonly<Record<string, string>> = {
  name: 'it is leasehold.name of the pool',
  min: 'it is min of the pool',
  max: 'it is max of the pool',
  acquireTimeoutMillis: 'it is acquireConnectionTimeout, or connectionTimeoutMillis of the pool',
  createTimeoutMillis: 'it is leasehold.connectTimeoutMs of the pool',
  destroyTimeoutMillis: 'it is leasehold.closeTimeoutMs of the pool',
  idleTimeoutMillis: 'it is idleTimeoutMillis of the pool',
  reapIntervalMillis: 'the pool wakes when something is due',
  createRetryIntervalMillis: 'the pool decides when to try again',
  propagateCreateError: 'a failed connect always reaches the caller',
  maxConnectionLifetimeMillis: 'it is maxLifetimeSeconds of the pool',
  maxConnectionLifetimeJitterMillis: 'the pool shortens lifetimes at random by itself',
  returnToHead: 'it is leasehold.idleOrder of the pool',
  log: 'pool.leases.on() reports what happens',
}

const anything: OptionRule = { expected: 'anything', accepts: () => true }
const callableOrNull: OptionRule = {
  expected: 'a function',
  accepts: (value) => value === null || callable.accepts(value),
}
const object: OptionRule = { expected: 'an object', accepts: isObject }

const schemaNames: OptionRule = {
  expected: 'a schema or an array of schemas',
  accepts: (value) =>
    nonEmptyText.accepts(value) || (Array.isArray(value) && value.length > 0 && value.every(nonEmptyText.accepts)),
}

const POOL_RULES = {
  afterCreate: callable,
  validate: callable,
} satisfies OptionRules

/** What is wrong with a configuration for Knex, and what is in it that Knex does not know either. */
export interface KnexConfigVerdict {
  readonly faults: readonly OptionFault[]
  readonly unknown: readonly OptionFault[]
}

/** @param dialect the class that every dialect for PostgreSQL descends from. */
export function checkKnexConfig(config: unknown, dialect: PgDialectClass): KnexConfigVerdict {
  const { values, faults, unknown } = examineOptions(config, rulesFor(dialect))
  return { faults: [...faults, ...poolFaults(values['pool'])], unknown }
}

/** Every option of Knex, by the names in its types and the few that are missing there. */
function rulesFor(
  dialect: PgDialectClass,
): { readonly [Name in keyof Required<Knex.Config>]: OptionRule } & OptionRules {
  const names = CLIENTS.map((name) => `'${name}'`).join(' or ')
  const isName = (value: unknown): boolean => typeof value === 'string' && CLIENTS.includes(value)
  return {
    client: {
      expected: `${names} or a subclass of that dialect`,
      accepts: (value) => isName(value) || value === dialect || isDescendant(value, dialect),
    },
    dialect: { expected: names, accepts: isName },
    connection: leftOut('the pool knows where to connect'),
    connectionPool: leftOut('createKnex gives its own'),
    pool: object,
    acquireConnectionTimeout: millisecondsOrNever(1),
    searchPath: schemaNames,
    version: nonEmptyText,
    postProcessResponse: callableOrNull,
    wrapIdentifier: callableOrNull,
    log: object,
    migrations: object,
    seeds: object,
    userParams: object,
    debug: anything,
    returning: anything,
    jsonbSupport: anything,
    fetchAsString: anything,
    useNullAsDefault: flag,
    asyncStackTraces: flag,
    compileSqlOnError: flag,
    defaultDateTimePrecision: anything,
  }
}

function poolFaults(pool: unknown): OptionFault[] {
  if (pool === undefined) return []
  const { faults, unknown } = examineOptions(pool, POOL_RULES)
  const elsewhere = unknown.map((fault) => {
    const equivalent = POOL_EQUIVALENTS[fault.option]
    return equivalent === undefined ? fault : { ...fault, expected: `to be left out: ${equivalent}` }
  })
  return [...faults, ...elsewhere].map((fault) => ({ ...fault, option: `pool.${fault.option}` }))
}

function leftOut(why: string): OptionRule {
  return { expected: `to be left out: ${why}`, accepts: () => false }
}

function isDescendant(value: unknown, dialect: PgDialectClass): boolean {
  return typeof value === 'function' && value.prototype instanceof dialect
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
