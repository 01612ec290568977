import { InvalidOptionsError } from '@leasehold/core'
import { expect, test } from 'vitest'
import { Client } from 'pg'
import { pgDriver } from './pg-driver.js'

function faultsOf(make: () => unknown): readonly string[] {
  try {
    make()
  } catch (error) {
    if (error instanceof InvalidOptionsError) return error.faults.map(({ option }) => option)
    throw error
  }
  return []
}

test.each([
  undefined,
  {},
  { host: 'here', port: 5432 },
  'postgres://here/db',
  () => 'postgres://here/db',
  async () => Promise.resolve({ host: 'here' }),
])('pgDriver takes %o', (config) => {
  expect(faultsOf(() => pgDriver(config))).toEqual([])
})

test.each([null, 5, '', [], true])('%o is nothing to connect with', (config) => {
  expect(faultsOf(() => pgDriver(config as never))).toEqual(['config'])
})

test.each([
  ['hots', 'did you mean host?'],
  ['applicationName', 'did you mean application_name?'],
  ['connectionSting', 'did you mean connectionString?'],
  ['max', 'those of a pool are for createPool()'],
  ['leasehold', 'those of a pool are for createPool()'],
])('what pg would ignore is refused: %s, %s', (option, hint) => {
  const refusal = expect.objectContaining({ message: expect.stringContaining(hint) as string }) as Error
  expect(() => pgDriver({ [option]: 'secret' })).toThrow(refusal)
  expect(faultsOf(() => pgDriver({ host: 'here', [option]: 'secret' }))).toEqual([`config.${option}`])
  expect(() => pgDriver({ [option]: 'secret' })).not.toThrow('secret')
})

test('whatever pg takes passes, and so does all that a connection string may hold', () => {
  const everything = {
    user: 'me',
    password: 'secret',
    host: 'here',
    port: '5433',
    database: 'db',
    ssl: {},
    sslmode: 'no-verify',
    sslcert: 'a.pem',
    connect_timeout: '3',
    application_name: 'a',
    options: '-c x=1',
    keepAlive: true,
    keepAliveInitialDelayMillis: 1,
    connectionTimeoutMillis: 1,
    statement_timeout: 1,
    query_timeout: 1,
    enableChannelBinding: true,
    scramMaxIterations: 1,
    pipeline: false,
    types: undefined,
    Promise,
  }
  expect(faultsOf(() => pgDriver(everything as never))).toEqual([])
})

test('a class of clients of your own may take what it likes', () => {
  class Own extends Client {}
  expect(faultsOf(() => pgDriver({ region: 'eu' } as never, { Client: Own }))).toEqual([])
})

test.each(['pgbouncer', 'rds-proxy', 'supavisor'] as const)('statements cannot be kept behind %s', (behind) => {
  expect(faultsOf(() => pgDriver({}, { behind, preparedStatements: true }))).toEqual(['preparedStatements'])
  expect(() => pgDriver({}, { behind: 'nothing', preparedStatements: { max: 1 } })).not.toThrow()
  expect(() => pgDriver({}, { behind, preparedStatements: false })).not.toThrow()
})

test('all that is wrong with its options is refused together', () => {
  const options = {
    Client: 5,
    onConnect: {},
    resetStatement: '',
    behind: 'pgbounce',
    functions: 1,
    preparedStatements: { afterUses: 0, maximum: 5 },
    resetstatement: 'x',
  }
  expect(faultsOf(() => pgDriver(7 as never, options as never))).toEqual([
    'config',
    'Client',
    'onConnect',
    'resetStatement',
    'behind',
    'functions',
    'preparedStatements.afterUses',
    'preparedStatements.maximum',
    'resetstatement',
  ])
  expect(faultsOf(() => pgDriver({}, { preparedStatements: 'yes' as never }))).toEqual(['preparedStatements'])
  expect(faultsOf(() => pgDriver({}, 5 as never))).toEqual(['options'])
})
