import { createPool, currentTransaction, type Pool } from '@leasehold/core'
import { FakeDriver, type FakeClient } from '@leasehold/testkit'
import {
  Inject,
  Injectable,
  type INestApplicationContext,
  Module,
  type Provider,
  Scope,
  type Type,
} from '@nestjs/common'
import { ContextIdFactory, NestFactory } from '@nestjs/core'
import { Test } from '@nestjs/testing'
import { of } from 'rxjs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { getPoolToken, InjectPool, LeaseholdModule, type LeaseholdOptions, Transactional } from '../index.js'

const failure = new Error('of the method')
const quiet = { logger: false, abortOnError: false } as const
const REFUSED = { code: 'LEASEHOLD_INVALID_OPTIONS' }

let drivers: { main: FakeDriver; reports: FakeDriver }
let pools: { main: Pool<FakeClient>; reports: Pool<FakeClient> }
let apps: INestApplicationContext[]

beforeEach(() => {
  apps = []
  drivers = { main: new FakeDriver(), reports: new FakeDriver() }
  pools = {
    main: createPool(drivers.main, { name: 'main' }),
    reports: createPool(drivers.reports, { name: 'reports' }),
  }
})
afterEach(async () => {
  for (const app of apps) await app.close()
})

/** As a job or a script would: there is no request, and no scope. */
async function start(providers: readonly Provider[], options?: LeaseholdOptions): Promise<INestApplicationContext> {
  @Module({
    imports: [LeaseholdModule.forRoot(options ?? { pools })],
    providers: [...providers],
    exports: [...providers],
  })
  class Service {}
  const app = await NestFactory.createApplicationContext(Service, quiet)
  apps.push(app)
  return app
}

const insert = (row: string, pool = pools.main): Promise<string> => pool.use((client) => client.query(`insert ${row}`))

class Orders {
  @Transactional()
  async write(row: string, fails = false): Promise<string> {
    await insert(row)
    expect(drivers.main.rows).toEqual([])
    if (fails) throw failure
    return `${row} by ${this.constructor.name}`
  }

  @Transactional({ pool: 'reports' })
  async report(row: string): Promise<void> {
    await insert(row, pools.reports)
    expect(drivers.reports.rows).toEqual([])
  }
}

describe('a method with @Transactional', () => {
  it('is committed when it has returned, though its class injects nothing and there is no request', async () => {
    const app = await start([Orders])
    expect(await app.get(Orders).write('a')).toBe('a by Orders')
    expect(drivers.main.rows).toEqual(['a'])
    expect(pools.main.snapshot().connections.lent).toBe(0)
  })

  it('is rolled back when it throws, and throws the same', async () => {
    const app = await start([Orders])
    await expect(app.get(Orders).write('a', true)).rejects.toBe(failure)
    expect(drivers.main.rows).toEqual([])
  })

  it('runs on the pool of the name that it says, and with one pool on that, whatever its name is', async () => {
    const app = await start([Orders])
    await app.get(Orders).report('a')
    expect(drivers.reports.rows).toEqual(['a'])

    class Only {
      @Transactional()
      write() {
        return insert('b', pools.reports)
      }
    }
    const other = await start([Only], { pools: { archive: pools.reports } })
    await other.get(Only).write()
    expect(drivers.reports.rows).toEqual(['a', 'b'])
  })

  it('rejects when the commit fails, and nothing is left', async () => {
    const app = await start([Orders])
    drivers.main.script.next('query', 'ok', 'ok', 'error')
    await expect(app.get(Orders).write('a')).rejects.toThrow('the fake query failed')
    expect(drivers.main.rows).toEqual([])
  })

  it('joins the one around it, or does what its propagation says', async () => {
    class Audit {
      @Transactional({ propagation: 'requires-new' })
      write(row: string) {
        return insert(row)
      }
    }
    class Transfers {
      constructor(
        @Inject(Orders) readonly orders: Orders,
        @Inject(Audit) readonly audit: Audit,
      ) {}
      @Transactional()
      async transfer(): Promise<void> {
        await this.orders.write('debit')
        await this.audit.write('tried')
        throw failure
      }
    }
    const app = await start([Orders, Audit, Transfers])
    await expect(app.get(Transfers).transfer()).rejects.toBe(failure)
    expect(drivers.main.rows).toEqual(['tried'])
  })

  it('awaits a lazy query inside the transaction', async () => {
    let inside: object | undefined
    class Lazy {
      @Transactional()
      write(): PromiseLike<string> {
        // As the queries of Knex, Drizzle and Prisma are: nothing happens before somebody awaits them.
        const then: PromiseLike<string>['then'] = (done, failed) => {
          inside = currentTransaction()
          // oxlint-disable-next-line promise/no-callback-in-promise -- that is what a thenable does
          return insert('lazy').then(done, failed)
        }
        // oxlint-disable-next-line unicorn/no-thenable -- it is what this is about
        return { then }
      }
    }
    const app = await start([Lazy])
    expect(await app.get(Lazy).write()).toBe('insert lazy on 1')
    expect(inside).toBeDefined()
    expect(drivers.main.rows).toEqual(['lazy'])
  })

  it.each([
    ['an Observable', () => of(1)],
    ['a generator', () => (async function* () {})()],
  ])('is rolled back and refused when it returns %s, which has not even begun', async (kind, result) => {
    class Lazy {
      @Transactional()
      async read(): Promise<unknown> {
        await insert('a')
        return result()
      }
    }
    const app = await start([Lazy])
    await expect(app.get(Lazy).read()).rejects.toMatchObject({ ...REFUSED, faults: [{ received: kind }] })
    expect(drivers.main.rows).toEqual([])
  })

  it('is called as before: `this`, its values, its name and its length are its own', async () => {
    const app = await start([Orders])
    expect(await app.get(Orders).write('a')).toBe('a by Orders')
    expect([Orders.prototype.write.name, Orders.prototype.write.length]).toEqual(['write', 1])
    expect(Object.keys(app.get(Orders))).toEqual([])
  })
})

describe('the pool is that of the service which made the instance', () => {
  it('also for providers that are made for each request, or for each that wants one', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class OfRequest extends Orders {}
    @Injectable({ scope: Scope.TRANSIENT })
    class Transient extends Orders {}
    const app = await start([OfRequest, Transient])
    await (await app.resolve(OfRequest, ContextIdFactory.create())).write('a')
    drivers.main.rows.length = 0
    await (await app.resolve(Transient)).write('b')
    expect(drivers.main.rows).toEqual(['b'])
  })

  it('also for a class that inherits the method, injects properties of its own, or overrides it', async () => {
    class More extends Orders {
      @InjectPool('reports') readonly reports!: Pool<FakeClient>
      @Transactional()
      async more(): Promise<void> {
        await insert('more')
      }
    }
    class Without extends Orders {
      override async write(): Promise<string> {
        return currentTransaction() === undefined ? 'without' : 'in a transaction'
      }
    }
    const app = await start([More, Without])
    await app.get(More).write('a')
    await app.get(More).more()
    expect(drivers.main.rows).toEqual(['a', 'more'])
    expect(app.get(More).reports).toBe(pools.reports)
    expect(await app.get(Without).write()).toBe('without')
  })

  it('also for what factories make and what is given as a value', async () => {
    class Made extends Orders {}
    class Given extends Orders {}
    const app = await start([
      { provide: Made, useFactory: async () => new Made() },
      { provide: Given, useValue: new Given() },
    ])
    await app.get(Made).write('a')
    drivers.main.rows.length = 0
    await app.get(Given).write('b')
    expect(drivers.main.rows).toEqual(['b'])
  })

  it('when several services run in one process, at a time or one after the other', async () => {
    class Notes {
      @Transactional()
      write(row: string, pool: Pool<FakeClient>) {
        return insert(row, pool)
      }
    }
    const shared = { provide: 'shared', useValue: new Notes() }
    const one = await start([Notes, shared], { pool: pools.main })
    const other = await start([Notes], { pool: pools.reports })
    const failed = one.get(Notes).write('a', pools.reports)
    await Promise.all([failed, other.get(Notes).write('b', pools.reports), one.get(Notes).write('c', pools.main)])
    expect([drivers.main.rows, drivers.reports.rows]).toEqual([['c'], ['a', 'b']])
    expect(drivers.main.sessions).not.toHaveLength(0)

    await expect(start([shared], { pool: pools.reports, closePool: false })).rejects.toMatchObject(REFUSED)
    await one.close()
    const next = await start([shared], { pool: pools.reports, closePool: false })
    await next.get<Notes>('shared').write('d', pools.reports)
    expect(drivers.reports.rows).toEqual(['a', 'b', 'd'])
  })

  it('and another one where a test has put that in its place', async () => {
    class Notes {
      @Transactional()
      async write(): Promise<void> {}
    }
    @Module({ imports: [LeaseholdModule.forRoot({ pool: pools.main })], providers: [Notes] })
    class Service {}
    const app = await Test.createTestingModule({ imports: [Service] })
      .overrideProvider(getPoolToken())
      .useValue(pools.reports)
      .compile()
    apps.push(await app.init())
    await app.get(Notes).write()
    expect([drivers.main.sessions.length, drivers.reports.sessions.length]).toEqual([0, 1])
  })
})

describe('on a class @Transactional', () => {
  it('is on all methods that the class itself declares, but for hooks of Nest and those that say it themselves', async () => {
    const met: Record<string, boolean> = {}
    const meet = (name: string): void => void (met[name] = currentTransaction() !== undefined)
    class Base {
      async inherited(): Promise<void> {
        meet('inherited')
      }
    }
    @Transactional()
    @Injectable()
    class All extends Base {
      async one(): Promise<void> {
        meet('one')
      }
      @Transactional({ propagation: 'not-supported' })
      async own(): Promise<void> {
        meet('own')
        await insert('stays')
        throw failure
      }
      async onModuleInit(): Promise<void> {
        meet('onModuleInit')
      }
      get value(): string {
        return 'of a getter'
      }
    }
    const all = (await start([All])).get(All)
    await all.one()
    await all.inherited()
    await expect(all.own()).rejects.toBe(failure)
    expect(met).toEqual({ onModuleInit: false, one: true, inherited: false, own: true })
    expect(drivers.main.rows).toEqual(['stays'])
    expect(all.value).toBe('of a getter')
  })
})

describe('what is wrong with @Transactional', () => {
  it('is told where it is written, all of it', () => {
    const options = { propagation: 'sometimes', isolaton: 'serializable', pool: '' }
    expect(() => Transactional(options as never)).toThrow(expect.objectContaining(REFUSED))
    expect(() => Transactional(options as never)).toThrow(/propagation: .*pool: .*isolaton: /s)
    for (const nonsense of [null, 5, 'required', [], () => {}]) {
      expect(() => Transactional(nonsense as never)).toThrow(expect.objectContaining(REFUSED))
    }
  })

  it('is told at once of what is no method', () => {
    const decorate = Transactional() as (...values: unknown[]) => void
    class Letters {
      static write(): void {}
      readonly text = ''
    }
    expect(() => decorate(Orders.prototype, 'write', undefined)).toThrow(/write: expected a method/)
    expect(() => decorate(Letters, 'write', { value: Letters.write })).toThrow(/a static member/)
    expect(() => decorate(Letters.write, { kind: 'method', name: 'write' })).toThrow(/expected a method/)
    expect(() => decorate(() => {})).toThrow(/target: expected a method of a class, .*, received a function/)
  })

  it('is told at the start of the service: pools that there are not, all of them, wherever they are', async () => {
    class Letters {
      @Transactional({ pool: 'reprots' })
      async write(): Promise<void> {}
    }
    @Injectable({ scope: Scope.REQUEST })
    class Mails {
      @Transactional({ pool: 'mails' })
      async send(): Promise<void> {}
    }
    const started = start([Letters, Mails])
    await expect(started).rejects.toMatchObject(REFUSED)
    await expect(started).rejects.toThrow(
      /pool of Letters\.write: expected one of main, reports, received "reprots".*Mails\.send.*"mails"/,
    )
  })

  it('is told at the start where several pools are there and none is the one without a name', async () => {
    const started = start([Orders], { pools: { orders: pools.main, reports: pools.reports } })
    await expect(started).rejects.toThrow(/Orders\.write: expected one of orders, reports, received none, and no pool/)
  })

  it.each([
    [
      'in a service without the module',
      async (): Promise<Orders> => {
        @Module({ providers: [Orders] })
        class Service {}
        const app = await NestFactory.createApplicationContext(Service as Type, quiet)
        apps.push(app)
        return app.get(Orders)
      },
    ],
    ['of an instance that Nest has not made', async (): Promise<Orders> => new Orders()],
    [
      'that was torn off its instance',
      async (): Promise<Pick<Orders, 'write'>> => ({ write: Orders.prototype.write.bind(undefined as never) }),
    ],
  ])('is told by the first call %s: nothing of it has run', async (_where, make) => {
    const orders = await make()
    const call = orders.write('a')
    await expect(call).rejects.toMatchObject(REFUSED)
    await expect(call).rejects.toThrow(/@Transactional of Orders\.write .*LeaseholdModule\.forRoot/)
    expect(drivers.main.rows).toEqual([])
  })
})
