import { createPool, isLeaseholdError, type InvalidOptionsError } from '@leasehold/core'
import { createPgPool, pgDriver } from '@leasehold/pg'
import { Pool } from 'pg'
import { expect, test } from 'vitest'
import { createPrismaAdapter } from './create-prisma-adapter.js'
import { leasePrisma } from './lease-prisma.js'

const pool = createPgPool({ host: '127.0.0.1', port: 1 })

function refusalOf(call: (...args: never[]) => unknown, ...args: unknown[]): InvalidOptionsError {
  try {
    ;(call as (...args: unknown[]) => unknown)(...args)
  } catch (error) {
    expect(isLeaseholdError(error) && error.code).toBe('LEASEHOLD_INVALID_OPTIONS')
    return error as InvalidOptionsError
  }
  throw new Error('nothing was refused')
}

/** Stands for a PrismaClient of some version: what `leasePrisma` looks at. */
function clientOf(version: string, inside: object = {}): object {
  return {
    _clientVersion: version,
    $transaction() {},
    _engine: { transaction() {} },
    _requestHandler: {
      dataloader: { options: { batchBy() {}, singleLoader() {}, batchLoader() {} } },
      handleAndLogRequestError() {},
    },
    _engineConfig: { adapter: createPrismaAdapter(pool) },
    ...inside,
  }
}

test.each([
  ['nothing', undefined, 'undefined'],
  ['a pg.Pool', new Pool(), 'a pg.Pool that is none of ours'],
  ['a core pool', createPool(pgDriver({})), 'a core pool without its facade'],
  ['a connection string', 'postgres://user:secret@host/db', 'a text'],
])('%s in place of the pool is one clear error', (_, wrong, received) => {
  const fault = { option: 'pool', expected: 'the pool of createPgPool() or new LeasedPgPool()', received }
  expect(refusalOf(createPrismaAdapter, wrong).faults).toEqual([fault])
  expect(refusalOf(leasePrisma, clientOf('7.10.0'), wrong).faults).toEqual([fault])
})

test('a wrong pool and wrong options are told in one go', () => {
  const wrong = { shema: 'app', onPoolError: 'log', disposeExternalPool: true }
  const { faults, message } = refusalOf(createPrismaAdapter, {}, wrong)
  expect(faults.map(({ option }) => option)).toEqual(['pool', 'onPoolError', 'disposeExternalPool', 'shema'])
  expect(message).toContain('did you mean schema?')
  expect(message).toContain('end it with pool.end()')
})

test.each([
  ['nothing', undefined, 'undefined'],
  ['another object', {}, 'an object'],
  ['a class', Map, 'a function'],
])('%s in place of the client is one clear error', (_, wrong, received) => {
  expect(refusalOf(leasePrisma, wrong, pool).faults).toEqual([
    { option: 'client', expected: 'a PrismaClient', received },
  ])
})

test.each(['5.22.0', '6.18.0', '8.0.0', '0.0.0'])('a client of version %s is refused by name', (version) => {
  expect(refusalOf(leasePrisma, clientOf(version), pool).message).toContain(
    `a PrismaClient of version 7, or 6.19 or later, received version ${version}`,
  )
})

test.each([
  ['data loader', { _requestHandler: { dataloader: {}, handleAndLogRequestError() {} } }],
  ['request handler', { _requestHandler: undefined }],
  ['engine', { _engine: {} }],
])('a client with another %s is refused rather than left without the cure', (_, inside) => {
  expect(refusalOf(leasePrisma, clientOf('7.99.0', inside), pool).message).toContain(
    'received version 7.99.0, which is built in another way',
  )
})

test('a client without an adapter is refused', () => {
  expect(refusalOf(leasePrisma, clientOf('7.10.0', { _engineConfig: {} }), pool).message).toContain(
    'received one without an adapter',
  )
})

test.each(['7.0.0', '7.10.1', '6.19.3', '6.20.0'])('a client of version %s is taken', (version) => {
  const client = clientOf(version)
  expect(leasePrisma(client as never, pool)).toBe(client)
})
