import type { Pool, Scope } from '@leasehold/core'
import type { FakeClient } from '@leasehold/testkit'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify'
import { describe, expectTypeOf, it } from 'vitest'
import defaultExport, {
  leasehold,
  leaseholdErrorHandler,
  type LeaseholdOptions,
  type PoolSource,
  type RouteLeasehold,
} from '../index.js'

// What is wrong here is found by `tsc`: nothing of it has to run.
describe('in TypeScript', () => {
  it('requests, instances and routes know of the plugin', () => {
    expectTypeOf<FastifyRequest['leasehold']['scope']>().toEqualTypeOf<Scope>()
    expectTypeOf<FastifyRequest['leasehold']['signal']>().toEqualTypeOf<AbortSignal>()
    expectTypeOf<FastifyInstance['leasehold']['pools']>().toEqualTypeOf<Readonly<Record<string, PoolSource>>>()
    expectTypeOf<NonNullable<RouteShorthandOptions['config']>['leasehold']>().toEqualTypeOf<
      RouteLeasehold | undefined
    >()
    expectTypeOf(leasehold).toEqualTypeOf<FastifyPluginAsync<LeaseholdOptions>>()
    expectTypeOf(defaultExport).toEqualTypeOf(leasehold)
  })

  it('the error handler is one of Fastify, for errors of any kind', () => {
    expectTypeOf(leaseholdErrorHandler).parameters.toEqualTypeOf<[unknown, FastifyRequest, FastifyReply]>()
    expectTypeOf((app: FastifyInstance) => app.setErrorHandler(leaseholdErrorHandler)).toBeFunction()
  })

  it('a pool of any client, and a facade that has one, can be registered', () => {
    expectTypeOf<Pool<FakeClient>>().toExtend<PoolSource>()
    expectTypeOf<{ leases: Pool<FakeClient>; query(text: string): void }>().toExtend<PoolSource>()
    expectTypeOf<{ query(text: string): void }>().not.toExtend<PoolSource>()
    expectTypeOf<{ pool: Pool<FakeClient> }>().toExtend<LeaseholdOptions>()
    expectTypeOf<{ pools: { main: Pool<FakeClient> }; mode: 'session' }>().toExtend<LeaseholdOptions>()
  })

  it('no pool, both kinds of it, and unknown words are refused', () => {
    expectTypeOf<{ mode: 'session' }>().not.toExtend<LeaseholdOptions>()
    expectTypeOf<{ pool: PoolSource; pools: { main: PoolSource } }>().not.toExtend<LeaseholdOptions>()
    expectTypeOf<{ pool: PoolSource; mode: 'row' }>().not.toExtend<LeaseholdOptions>()
  })

  it('a route says what it wants in its config', () => {
    const declare = (app: FastifyInstance): void => {
      app.get(
        '/',
        { config: { leasehold: { mode: 'session', priority: 'high', deadlineMs: 1_000 } } },
        async () => 'done',
      )
      app.post('/', { config: { leasehold: { transaction: true } } }, async () => 'done')
      app.post('/', { config: { leasehold: { transaction: { pool: 'main', retries: 2 } } } }, async () => 'done')
      // @ts-expect-error -- there is no such isolation
      app.post('/', { config: { leasehold: { transaction: { isolation: 'strict' } } } }, async () => 'done')
      // @ts-expect-error -- there is no such mode
      app.get('/', { config: { leasehold: { mode: 'row' } } }, async () => 'done')
      // @ts-expect-error -- it stands in the config
      app.get('/', { leasehold: { mode: 'session' } }, async () => 'done')
    }
    expectTypeOf(declare).returns.toBeVoid()
  })
})
