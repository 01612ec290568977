import type { Driver, Lease, OptionFault, Pool, PoolSnapshot } from '@leasehold/core'
import { Client } from 'pg'
import type * as pg from 'pg'
import { describe, expectTypeOf, it } from 'vitest'
import {
  checkFacade,
  createPgPool,
  LeasedPgPool,
  type LeaseholdOptions,
  pgDriver,
  type PgDriverOptions,
  readStrictly,
  serverParameters,
} from './index.js'

declare const pool: LeasedPgPool

// What is wrong here is found by `tsc`: nothing of it has to run.
describe('in TypeScript', () => {
  it('the facade is a pg.Pool, and its methods are those of a pg.Pool', () => {
    expectTypeOf(createPgPool).returns.toEqualTypeOf<LeasedPgPool>()
    expectTypeOf(LeasedPgPool).instance.toExtend<pg.Pool>()
    expectTypeOf<LeasedPgPool['query']>().toEqualTypeOf<pg.Pool['query']>()
    expectTypeOf<LeasedPgPool['totalCount']>().toEqualTypeOf<pg.Pool['totalCount']>()
    expectTypeOf(() => pool.connect()).returns.resolves.toEqualTypeOf<pg.PoolClient>()
    const rows = () => pool.query<{ id: number }>('select 7 as id')
    expectTypeOf(rows).returns.resolves.toEqualTypeOf<pg.QueryResult<{ id: number }>>()
  })

  it('it also has leases, with pg’s own client', () => {
    expectTypeOf<LeasedPgPool['leases']>().toEqualTypeOf<Pool<pg.Client>>()
    expectTypeOf(() => pool.acquire({ timeoutMs: 5 })).returns.resolves.toEqualTypeOf<Lease<pg.Client>>()
    const one = () => pool.use(async (client) => (await client.query<{ one: 1 }>('select 1 as one')).rows[0]?.one)
    expectTypeOf(one).returns.resolves.toEqualTypeOf<1 | undefined>()
    expectTypeOf(() => pool.snapshot()).returns.toEqualTypeOf<PoolSnapshot>()
  })

  it('it has transactions, whose work is given pg’s client and may return a lazy query', () => {
    const count = () =>
      pool.transaction(async (client, transaction) => ((await client.query('')).rowCount ?? 0) + transaction.depth)
    expectTypeOf(count).returns.resolves.toEqualTypeOf<number>()
    const lazy = () =>
      pool.transaction(() => ({}) as PromiseLike<{ id: number }>, { propagation: 'nested', retries: 1 })
    expectTypeOf(lazy).returns.resolves.toEqualTypeOf<{ id: number }>()
    // @ts-expect-error -- no such propagation
    const refused = () => pool.transaction(() => 1, { propagation: 'new' })
    expectTypeOf(refused).returns.resolves.toEqualTypeOf<number>()
  })

  it('it takes pg’s options with ours beside them, and no others', () => {
    class OwnClient extends Client {}
    const made = () => [
      createPgPool(),
      createPgPool({ connectionString: 'postgres://host/db', max: 5, leasehold: { mode: 'session' } }),
      new LeasedPgPool({ Client: OwnClient, onConnect: (client) => client.query('select 1') }),
      new LeasedPgPool({}, OwnClient),
    ]
    expectTypeOf(made).returns.toEqualTypeOf<LeasedPgPool[]>()
    const refused = () => [
      // @ts-expect-error -- a typing error
      createPgPool({ conectionString: '' }),
      // @ts-expect-error -- it stands under `leasehold`
      createPgPool({ mode: 'session' }),
      // @ts-expect-error -- there is no such mode
      createPgPool({ leasehold: { mode: 'row' } }),
      // @ts-expect-error -- a connection string is an option
      createPgPool('postgres://host/db'),
    ]
    expectTypeOf(refused).toBeFunction()
  })

  it('an option may be undefined, as one is that comes from the environment', () => {
    type Given<Options> = { readonly [Name in keyof Options]: Options[Name] | undefined }
    expectTypeOf<Given<LeaseholdOptions>>().toExtend<LeaseholdOptions>()
    expectTypeOf(createPgPool).toBeCallableWith({ leasehold: undefined, onConnect: undefined })
    expectTypeOf<Given<PgDriverOptions>>().toExtend<PgDriverOptions>()
  })

  it('the driver is one of pg’s clients', () => {
    expectTypeOf(pgDriver).returns.toEqualTypeOf<Driver<pg.Client>>()
    expectTypeOf(pgDriver).toBeCallableWith({ host: 'localhost' })
    expectTypeOf(pgDriver).toBeCallableWith(async () => ({ password: 'of the hour' }))
    // @ts-expect-error -- no port is a text
    expectTypeOf(() => pgDriver({ port: '5432' })).toBeFunction()
    expectTypeOf(serverParameters).toEqualTypeOf<(client: pg.Client) => ReadonlyMap<string, string>>()
    expectTypeOf(readStrictly).toEqualTypeOf<() => Promise<void>>()
    expectTypeOf(checkFacade).toEqualTypeOf<(pool: unknown) => readonly OptionFault[]>()
    expectTypeOf(readStrictly).toEqualTypeOf<() => Promise<void>>()
  })
})
