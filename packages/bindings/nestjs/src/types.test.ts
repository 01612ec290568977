import type { Pool } from '@leasehold/core'
import type { FakeClient } from '@leasehold/testkit'
import type {
  DynamicModule,
  ExceptionFilter,
  NestInterceptor,
  NestModule,
  OnApplicationShutdown,
  Type,
} from '@nestjs/common'
import type { HealthIndicatorResult } from '@nestjs/terminus'
import { describe, expectTypeOf, it } from 'vitest'
import {
  getPoolToken,
  InjectPool,
  LeaseholdExceptionFilter,
  LeaseholdInterceptor,
  LeaseholdModule,
  type LeaseholdOptions,
  type PoolSource,
  Transactional,
} from './index.js'
import { LeaseholdHealthIndicator, type PoolHealth } from './terminus.js'

declare const pool: Pool<FakeClient>

// What is wrong here is found by `tsc`: nothing of it has to run.
describe('in TypeScript', () => {
  it('the module is one of Nest, with one pool or several, at once or later', () => {
    expectTypeOf(LeaseholdModule).instance.toExtend<NestModule & OnApplicationShutdown>()
    expectTypeOf(LeaseholdModule.forRoot).toEqualTypeOf<(options: LeaseholdOptions) => DynamicModule>()
    class Settings {
      readonly mode = 'session'
    }
    const made = () => [
      LeaseholdModule.forRoot({ pool }),
      LeaseholdModule.forRoot({ pools: { main: pool, reports: { leases: pool } }, mode: 'session' }),
      LeaseholdModule.forRootAsync({ inject: [Settings], useFactory: ({ mode }: Settings) => ({ pool, mode }) }),
      LeaseholdModule.forRootAsync({ names: ['main'], useFactory: async () => ({ pools: { main: pool } }) }),
    ]
    expectTypeOf(made).returns.toEqualTypeOf<DynamicModule[]>()
  })

  it('no pool, both kinds of it, and unknown words are refused', () => {
    const refused = (both: { pool: PoolSource; pools: { main: PoolSource } }) => [
      // @ts-expect-error -- no pool
      LeaseholdModule.forRoot({}),
      // @ts-expect-error -- both
      LeaseholdModule.forRoot(both),
      // @ts-expect-error -- there is no such mode
      LeaseholdModule.forRoot({ pool, mode: 'row' }),
      // @ts-expect-error -- what is no pool
      LeaseholdModule.forRoot({ pool: { query() {} } }),
      // @ts-expect-error -- it makes no options
      LeaseholdModule.forRootAsync({ useFactory: () => ({}) }),
      // @ts-expect-error -- no factory
      LeaseholdModule.forRootAsync({ inject: [] }),
    ]
    expectTypeOf(refused).toBeFunction()
  })

  it('pools are injected into parameters and properties, by a token', () => {
    class Orders {
      @InjectPool('reports') readonly reports!: Pool<FakeClient>
      constructor(@InjectPool() readonly main: Pool<FakeClient>) {}
    }
    expectTypeOf(Orders).toExtend<Type<{ readonly main: Pool<FakeClient> }>>()
    expectTypeOf(getPoolToken).toEqualTypeOf<(name?: string) => string>()
    // @ts-expect-error -- pools have names
    expectTypeOf(() => InjectPool(7)).toBeFunction()
  })

  it('a transaction is declared on methods that return promises or lazy queries, and on classes', () => {
    @Transactional({ pool: 'main' })
    class Orders {
      @Transactional()
      async write<Row extends object>(row: Row): Promise<Row> {
        return row
      }
      @Transactional({ propagation: 'requires-new', isolation: 'serializable', retries: 2, timeoutMs: 500 })
      lazy(): PromiseLike<number> {
        return Promise.resolve(1)
      }
      // @ts-expect-error -- it would return a promise, and its callers do not know
      @Transactional()
      now(): number {
        return 1
      }
    }
    expectTypeOf<Orders['write']>().returns.toExtend<Promise<object>>()
    // @ts-expect-error -- there is no such propagation
    expectTypeOf(() => Transactional({ propagation: 'sometimes' })).toBeFunction()
  })

  it('the filter, the interceptor and the health check are those of Nest', () => {
    expectTypeOf(LeaseholdExceptionFilter).instance.toExtend<ExceptionFilter>()
    expectTypeOf(LeaseholdInterceptor).instance.toExtend<NestInterceptor>()
    expectTypeOf(LeaseholdHealthIndicator).instance.toHaveProperty('isHealthy')
    const check = (indicator: LeaseholdHealthIndicator) => indicator.isHealthy('database', { timeoutMs: 500 })
    expectTypeOf(check).returns.resolves.toEqualTypeOf<HealthIndicatorResult<'database', 'up' | 'down', PoolHealth>>()
  })
})
