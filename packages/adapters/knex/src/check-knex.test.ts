import { createPool, isLeaseholdError, type InvalidOptionsError } from '@leasehold/core'
import { createPgPool, pgDriver } from '@leasehold/pg'
import { knex } from 'knex'
import oldKnex from 'knex-3.1'
import { Pool } from 'pg'
import { expect, test, vi } from 'vitest'
import { createKnex } from './create-knex.js'
import { checkKnexVersion } from './knex-version.js'

const pool = createPgPool({ host: '127.0.0.1', port: 1 })

function refusalOf(...args: unknown[]): InvalidOptionsError {
  try {
    ;(createKnex as (...args: unknown[]) => unknown)(...args)
  } catch (error) {
    expect(isLeaseholdError(error) && error.code).toBe('LEASEHOLD_INVALID_OPTIONS')
    return error as InvalidOptionsError
  }
  throw new Error('nothing was refused')
}

test('a configuration that contradicts the pool is refused with all its faults, and where each option has gone', () => {
  const { faults, message } = refusalOf(pool, {
    client: 'mysql2',
    connection: 'postgres://user:secret@host/db',
    connectionPool: {},
    acquireConnectionTimeout: '5s',
    searchPath: [],
    wrapIdentifier: 'no',
    pool: { min: 2, max: 5, maxConnectionLifetimeMillis: 1_000, validat: () => true, afterCreate: true },
  })
  expect(faults.map(({ option }) => option)).toEqual([
    'client',
    'connection',
    'connectionPool',
    'acquireConnectionTimeout',
    'searchPath',
    'wrapIdentifier',
    'pool.afterCreate',
    'pool.min',
    'pool.max',
    'pool.maxConnectionLifetimeMillis',
    'pool.validat',
  ])
  expect(message).toContain('maxLifetimeSeconds of the pool')
  expect(message).toContain('did you mean validate?')
  expect(message).not.toContain('secret')
})

test.each([
  ['nothing', undefined, 'undefined'],
  ['a pg.Pool', new Pool(), 'a pg.Pool that is none of ours'],
  ['a core pool', createPool(pgDriver({})), 'a core pool without its facade'],
  ['a configuration', { connection: {} }, 'an object'],
  ['Knex itself', knex({ client: 'pg' }), 'a function'],
])('%s in place of the pool is one clear error', (_, wrong, received) => {
  expect(refusalOf(wrong, {}).faults).toEqual([
    { option: 'pool', expected: 'the pool of createPgPool() or new LeasedPgPool()', received },
  ])
})

test('a wrong pool and a wrong configuration are told in one go', () => {
  expect(refusalOf({}, { client: 'sqlite3' }).faults.map(({ option }) => option)).toEqual(['pool', 'client'])
})

test('a configuration that is no object is refused', () => {
  expect(refusalOf(pool, 'postgres://host/db').faults).toMatchObject([{ option: 'options' }])
})

test('a closed pool is refused by name', async () => {
  const closed = createPgPool({ leasehold: { name: 'shop' } })
  await closed.end()
  expect(() => createKnex(closed)).toThrow(
    expect.objectContaining({ code: 'LEASEHOLD_POOL_CLOSED', pool: 'shop' }) as Error,
  )
})

test('Knex before 3.3 is refused by name', () => {
  expect(() => checkKnexVersion(oldKnex as unknown as typeof knex)).toThrow('Knex ≥ 3.3 needed, found 3.1.0')
  expect(() => checkKnexVersion(knex)).not.toThrow()
})

test('an option that Knex does not know is warned of once, and nothing is opened', () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  const config = { serchPath: 'one' } as object
  createKnex(pool, config)
  createKnex(pool, config)
  expect(warn.mock.calls).toEqual([
    [expect.stringContaining('"serchPath" (did you mean searchPath?)'), expect.anything()],
  ])
  expect(pool.totalCount).toBe(0)
})

test.each(['pg', 'postgres', 'postgresql', undefined])('client: %s is taken, and stays to be read', (client) => {
  const made = createKnex(pool, client === undefined ? {} : { client })
  expect(made.client.config.client).toBe(client ?? 'pg')
  expect(made.client.dialect).toBe('postgresql')
  expect(made('a').where({ b: 1 }).toQuery()).toBe('select * from "a" where "b" = 1')
})

test('a dialect of your own is built upon', () => {
  const base = knex({ client: 'pg' }).client.constructor as typeof knex.Client
  class Shouting extends base {
    override wrapIdentifierImpl(value: string): string {
      return value.toUpperCase()
    }
  }
  const made = createKnex(pool, { client: Shouting })
  expect(made('a').toQuery()).toBe('select * from A')
  expect(made.client).toBeInstanceOf(Shouting)
})
