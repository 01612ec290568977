import { createPool, currentScope, type Pool } from '@leasehold/core'
import { FakeDriver, type FakeClient } from '@leasehold/testkit'
import { Controller, Get, Inject, Injectable, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { Test } from '@nestjs/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  getPoolToken,
  InjectPool,
  LeaseholdModule,
  type LeaseholdAsyncOptions,
  type LeaseholdOptions,
} from '../index.js'
import { portOf } from './platforms.js'

let main: Pool<FakeClient>
let reports: Pool<FakeClient>
let apps: { close(): Promise<void> }[]

beforeEach(() => {
  apps = []
  main = createPool(new FakeDriver(), { name: 'main' })
  reports = createPool(new FakeDriver(), { name: 'reports' })
})
afterEach(async () => {
  for (const app of apps) await app.close()
})

const quiet = { logger: false, abortOnError: false } as const

async function start(service: new () => unknown) {
  const app = await NestFactory.createApplicationContext(service, quiet)
  apps.push(app)
  return app
}

describe('a pool is injected as it was given', () => {
  it('the only one without a name, anywhere in the service', async () => {
    @Injectable()
    class Orders {
      constructor(@InjectPool() readonly pool: Pool<FakeClient>) {}
    }
    @Module({ providers: [Orders] })
    class OrdersModule {}
    @Module({ imports: [LeaseholdModule.forRoot({ pool: main }), OrdersModule] })
    class Service {}
    const app = await start(Service)

    expect(app.get(Orders, { strict: false }).pool).toBe(main)
    expect(app.get(getPoolToken())).toBe(main)
  })

  it('several by their names, facades included', async () => {
    const facade = { leases: reports }
    @Injectable()
    class Orders {
      @InjectPool('main') readonly pool!: Pool<FakeClient>
      constructor(@InjectPool('reports') readonly reports: typeof facade) {}
    }
    @Module({ imports: [LeaseholdModule.forRoot({ pools: { main, reports: facade } })], providers: [Orders] })
    class Service {}
    const app = await start(Service)

    expect(app.get(Orders).pool).toBe(main)
    expect(app.get(Orders).reports).toBe(facade)
    await app.close()
    expect([main.snapshot().state, reports.snapshot().state]).toEqual(['closed', 'closed'])
  })

  it('when its options come from other providers, later', async () => {
    @Module({ providers: [{ provide: 'config', useValue: { max: 3 } }], exports: ['config'] })
    class ConfigModule {}
    @Module({
      imports: [
        LeaseholdModule.forRootAsync({
          imports: [ConfigModule],
          inject: ['config'],
          names: ['main', 'reports'],
          useFactory: async ({ max }: { max: number }): Promise<LeaseholdOptions> => {
            await Promise.resolve()
            return { pools: { main: createPool(new FakeDriver(), { max }), reports } }
          },
        }),
      ],
    })
    class Service {}
    const app = await start(Service)

    expect(app.get<Pool<FakeClient>>(getPoolToken('main')).options.max).toBe(3)
    expect(app.get(getPoolToken('reports'))).toBe(reports)
  })

  it('and replaced in a test by another, whose service has scopes as ever', async () => {
    @Controller()
    class Orders {
      constructor(@Inject(getPoolToken()) readonly pool: Pool<FakeClient>) {}
      @Get('/orders/:id')
      read() {
        return `${this.pool.name} in ${currentScope()?.label}`
      }
    }
    @Module({ imports: [LeaseholdModule.forRoot({ pool: main })], controllers: [Orders] })
    class Service {}
    const testing = await Test.createTestingModule({ imports: [Service] })
      .overrideProvider(getPoolToken())
      .useValue(reports)
      .compile()
    const app = testing.createNestApplication(new FastifyAdapter(), quiet)
    apps.push(app)
    await app.listen(0)

    const answer = await fetch(`http://localhost:${portOf(app)}/orders/7`)
    expect(await answer.text()).toBe('reports in GET /orders/:id')
  })
})

describe('what cannot work is refused with everything that is wrong', () => {
  it.each([
    ['no pool', {}, /pool: expected a pool of Leasehold.*received undefined/],
    ['something that is no pool', { pool: { query() {} } }, /pool: expected a pool of Leasehold/],
    ['both', { pool: 'main', pools: {} }, /received both pool and pools/],
    ['a name that nobody knows', { pool: new Map(), prioritty: 'low' }, /did you mean priority\?/],
  ])('%s', (_, options, message) => {
    expect(() => LeaseholdModule.forRoot(options as unknown as LeaseholdOptions)).toThrow(
      expect.objectContaining({
        code: 'LEASEHOLD_INVALID_OPTIONS',
        message: expect.stringMatching(message) as unknown as string,
      }),
    )
  })

  it.each([
    ['no factory', {}, /useFactory: expected a function.*received undefined/],
    ['no list of names', { useFactory: () => ({}), names: [] }, /names: expected an array with one name or more/],
  ])('an async one with %s', (_, options, message) => {
    expect(() => LeaseholdModule.forRootAsync(options as unknown as LeaseholdAsyncOptions)).toThrow(message)
  })

  async function refusalOf(...imports: (() => ReturnType<typeof LeaseholdModule.forRoot>)[]): Promise<unknown> {
    @Module({ imports: imports.map((make) => make()) })
    class Service {}
    return start(Service).then(
      () => 'it started',
      (error: unknown) => error,
    )
  }

  it('a factory that makes nothing, or pools of other names', async () => {
    const nothing = () => undefined as unknown as LeaseholdOptions
    expect(await refusalOf(() => LeaseholdModule.forRootAsync({ useFactory: nothing }))).toMatchObject({
      code: 'LEASEHOLD_INVALID_OPTIONS',
      message: expect.stringContaining('What the factory of LeaseholdModule.forRootAsync makes cannot be used'),
    })
    const several = () => ({ pools: { main, reports } })
    expect(await refusalOf(() => LeaseholdModule.forRootAsync({ useFactory: several }))).toMatchObject({
      code: 'LEASEHOLD_INVALID_OPTIONS',
      message: expect.stringContaining(
        'names: expected the names of the pools that its factory gives: ["main","reports"]',
      ),
    })
  })

  it('a closed pool', async () => {
    await main.close()
    expect(await refusalOf(() => LeaseholdModule.forRoot({ pool: main }))).toMatchObject({
      code: 'LEASEHOLD_POOL_CLOSED',
      pool: 'main',
    })
  })

  it('a second module in one service', async () => {
    const refused = await refusalOf(
      () => LeaseholdModule.forRoot({ pool: main }),
      () => LeaseholdModule.forRoot({ pool: reports }),
    )
    expect(refused).toMatchObject({
      code: 'LEASEHOLD_INVALID_OPTIONS',
      message: expect.stringContaining('several databases as `pools`'),
    })
  })

  it('a database that must be there and is not', async () => {
    const driver = new FakeDriver()
    driver.script.always('connect', 'error')
    const pool = createPool(driver, { warmUp: 'required' })
    expect(await refusalOf(() => LeaseholdModule.forRoot({ pool }))).toMatchObject({ code: 'LEASEHOLD_CONNECT_FAILED' })
    await pool.close()
  })

  it('a pool of a name that was not given, or of no module: Nest says so in words', async () => {
    @Injectable()
    class Orders {
      constructor(@InjectPool('reprots') readonly pool: Pool<FakeClient>) {}
    }
    @Module({ imports: [LeaseholdModule.forRoot({ pool: main })], providers: [Orders] })
    class Service {}

    await expect(start(Service)).rejects.toThrow('"the pool "reprots" of LeaseholdModule.forRoot" at index [0]')
  })

  it.each([
    [5, '5'],
    [null, 'null'],
    ['', 'an empty text'],
    [['main'], 'an array of 1'],
    [() => 'main', 'a function'],
    [NaN, 'NaN'],
  ])('%o in place of a name, by @InjectPool and getPoolToken, at once', (name, received) => {
    const refused = (of: string): Error =>
      expect.objectContaining({
        code: 'LEASEHOLD_INVALID_OPTIONS',
        message: `${of} cannot be used: name: expected a text that is not empty, received ${received}. Correct it and start again`,
      }) as Error
    expect(() => InjectPool(name as never)).toThrow(refused('@InjectPool'))
    expect(() => getPoolToken(name as never)).toThrow(refused('getPoolToken'))
  })

  it('a platform that is neither Express nor Fastify', async () => {
    class Another extends FastifyAdapter {
      override getType(): never {
        return 'koa' as never
      }
    }
    @Module({ imports: [LeaseholdModule.forRoot({ pool: main })] })
    class Service {}
    const app = await NestFactory.create(Service, new Another(), quiet)

    await expect(app.init()).rejects.toThrow(/platform: expected the platform of Express or of Fastify, received "koa"/)
  })
})
