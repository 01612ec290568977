import { createPool, type InvalidOptionsError, isLeaseholdError } from '@leasehold/core'
import { createPgPool, pgDriver } from '@leasehold/pg'
import { Pool } from 'pg'
import { describe, expect, test, vi } from 'vitest'
import { checkDrizzleVersion } from './check-drizzle-version.js'
import { createDrizzle } from './create-drizzle.js'
import { drizzleOnLeases } from './drizzle-on-leases.js'
import { SUPPORTED_DRIZZLES } from './testing/supported-drizzles.js'

const pool = createPgPool({ host: '127.0.0.1', port: 1 })

function refusalOf(work: () => unknown): InvalidOptionsError {
  try {
    work()
  } catch (error) {
    expect(isLeaseholdError(error) && error.code).toBe('LEASEHOLD_INVALID_OPTIONS')
    return error as InvalidOptionsError
  }
  throw new Error('nothing was refused')
}

const create = createDrizzle as (...args: unknown[]) => unknown

test.each([
  ['nothing', undefined, 'undefined'],
  ['a pg.Pool', new Pool(), 'a pg.Pool that is none of ours'],
  ['a core pool', createPool(pgDriver({})), 'a core pool without its facade'],
  ['a configuration', { client: pool }, 'an object'],
  ['a connection string', 'postgres://user:secret@host/db', 'a text'],
])('%s in place of the pool is one clear error', (_, wrong, received) => {
  const { faults, message, remedy } = refusalOf(() => create(wrong))
  expect(faults).toEqual([{ option: 'pool', expected: 'the pool of createPgPool() or new LeasedPgPool()', received }])
  expect(remedy).toBe('Correct it and start again')
  expect(message).not.toContain('secret')
})

test('all that is wrong is told in one go, and no password is told', () => {
  const config = { client: new Pool(), connection: 'postgres://user:secret@host/db', logger: { log() {} } }
  const { faults, message } = refusalOf(() => create({}, config))
  expect(faults.map(({ option }) => option)).toEqual(['pool', 'client', 'connection', 'logger'])
  expect(message).toContain('client: expected to be left out: it is the pool')
  expect(message).not.toContain('secret')
})

test('a configuration that is no object is refused', () => {
  expect(refusalOf(() => create(pool, 'postgres://host/db')).faults).toMatchObject([{ option: 'options' }])
})

test('a closed pool is refused by name', async () => {
  const closed = createPgPool({ leasehold: { name: 'shop' } })
  await closed.end()
  expect(() => createDrizzle(closed)).toThrow(
    expect.objectContaining({ code: 'LEASEHOLD_POOL_CLOSED', pool: 'shop' }) as Error,
  )
})

test.each(['0.29.5', '0.44.7', '1.0.0-beta.22', '1.0.0-rc.4-273829f', 'unknown'])(
  'drizzle-orm %s is too old, and refused by name',
  (version) => {
    const { message } = refusalOf(() => checkDrizzleVersion(version))
    expect(message).toContain(`drizzle-orm ≥ 0.45 needed, found ${version}`)
    expect(message).toContain('expected 0.45, or 1.0.0-rc.5 or later')
  },
)

test.each(['0.45.0', '0.45.4', '1.0.0-rc.5-ab785fc', '1.0.0-rc.12', '1.0.0', '1.2.3', '1.1.0-beta.1'])(
  'drizzle-orm %s is taken',
  (version) => expect(() => checkDrizzleVersion(version)).not.toThrow(),
)

describe.each(SUPPORTED_DRIZZLES)('Drizzle $name', ({ name, library, config, authors }) => {
  test('is of a version that is taken', () => {
    expect(() => checkDrizzleVersion(library.npmVersion)).not.toThrow()
  })

  test.each<readonly [string, object]>([
    ['nothing', {}],
    ['relational queries', config],
    ['a logger', { logger: true }],
    ['no logger', { logger: false }],
    ['what 0.45 would take for a client', { mode: 'default' }],
    ['a cache', { cache: undefined }],
    ...(name === '1.0'
      ? ([
          ['relations', { relations: {} }],
          ['compiled mappers', { jit: false }],
          ['options that it may get one day', { anything: true }],
        ] as const)
      : [['a casing', { casing: 'snake_case' }] as const]),
  ])('takes a configuration with %s, and nothing is opened', (_, given) => {
    const db = drizzleOnLeases(library, pool, given) as ReturnType<typeof createDrizzle>
    expect(db.$client).toBe(pool)
    expect(db.select().from(authors).toSQL().sql).toBe('select "id", "name" from "authors"')
    expect(pool.totalCount).toBe(0)
  })

  test.each<readonly [string, string]>([
    ['loger', 'logger'],
    ['Schema', 'schema'],
    ['caches', 'cache'],
    ...(name === '1.0' ? [['relation', 'relations'] as const] : [['caseing', 'casing'] as const]),
  ])('refuses an option %s, and names %s', (option, meant) => {
    const { faults, message } = refusalOf(() => drizzleOnLeases(library, pool, { [option]: {} }))
    expect(faults).toMatchObject([{ option, received: 'an object' }])
    expect(message).toContain(`did you mean ${meant}?`)
  })

  test('tells its logger', async () => {
    const logQuery = vi.fn<(query: string, params: unknown[]) => void>()
    const db = drizzleOnLeases(library, pool, { logger: { logQuery } }) as ReturnType<typeof createDrizzle>
    await expect(db.select().from(authors)).rejects.toBeInstanceOf(Error)
    expect(logQuery).toHaveBeenCalledWith('select "id", "name" from "authors"', [])
  })
})

test.each(['anything', 'relations', 'max'])('Drizzle 0.45 has no option %s, and it is refused', (option) => {
  expect(refusalOf(() => create(pool, { [option]: {} })).faults).toEqual([
    { option, expected: 'no option of this name', received: 'an object' },
  ])
})

test('an older Drizzle is refused before it is called', () => {
  const drizzle = vi.fn<() => object>()
  const { message } = refusalOf(() => drizzleOnLeases({ drizzle, npmVersion: '0.44.7' }, pool, {}))
  expect(message).toContain('drizzle-orm ≥ 0.45 needed, found 0.44.7')
  expect(drizzle).not.toHaveBeenCalled()
})

test.each([
  ['has no session', {}],
  ['took something else for its client', { session: { client: {}, transaction() {}, prepareQuery() {} } }],
  ['has no transactions', { session: { client: pool, prepareQuery() {} } }],
  ['prepares no queries', { session: { client: pool, transaction() {} } }],
])('a Drizzle that %s is refused before anything goes wrong', (_, made) => {
  const { faults } = refusalOf(() => drizzleOnLeases({ drizzle: () => made, npmVersion: '1.99.0' }, pool, {}))
  expect(faults).toEqual([
    { option: 'drizzle-orm', expected: 'one that this version of @leasehold/drizzle knows', received: '1.99.0' },
  ])
})
