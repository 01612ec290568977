import { InvalidOptionsError } from '@leasehold/core'
import { expect, test } from 'vitest'
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

test('all that is wrong with its options is refused together', () => {
  const options = {
    Client: 5,
    onConnect: {},
    resetStatement: '',
    behind: 'pgbounce',
    functions: 1,
    resetstatement: 'x',
  }
  expect(faultsOf(() => pgDriver(7 as never, options as never))).toEqual([
    'config',
    'Client',
    'onConnect',
    'resetStatement',
    'behind',
    'functions',
    'resetstatement',
  ])
  expect(faultsOf(() => pgDriver({}, 5 as never))).toEqual(['options'])
})
