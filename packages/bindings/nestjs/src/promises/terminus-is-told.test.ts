import { createPool, type Pool } from '@leasehold/core'
import { type FakeClient, FakeDriver } from '@leasehold/testkit'
import { Controller, Get, Inject, type INestApplication, Module } from '@nestjs/common'
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LeaseholdModule } from '../leasehold-module.js'
import { LeaseholdHealthIndicator } from '../terminus.js'
import { platforms, portOf } from './platforms.js'

describe.each(platforms)('on $name', ({ create }) => {
  let driver: FakeDriver
  let pool: Pool<FakeClient>
  let app: INestApplication

  beforeEach(async () => {
    driver = new FakeDriver()
    pool = createPool(driver, { max: 1 })

    @Controller('health')
    class Health {
      constructor(
        @Inject(HealthCheckService) readonly health: HealthCheckService,
        @Inject(LeaseholdHealthIndicator) readonly pools: LeaseholdHealthIndicator,
      ) {}

      @Get()
      @HealthCheck()
      check() {
        return this.health.check([() => this.pools.isHealthy('database', { timeoutMs: 20 })])
      }

      @Get('nonsense')
      async nonsense() {
        const told: unknown[] = []
        for (const options of [null, 5, { pool: 5 }, { timeoutMs: NaN }, { timeoutMs: -1 }, { timeout: 20 }]) {
          const answer = await this.pools.isHealthy('database', options as never).catch((error: Error) => error.message)
          told.push(answer)
        }
        return told
      }

      @Get('wrong')
      wrong() {
        return this.pools.isHealthy('database', { pool: 'reports' }).catch((error: Error) => error.message)
      }
    }
    @Module({
      imports: [LeaseholdModule.forRoot({ pool, closeDeadlineMs: 0 }), TerminusModule.forRoot({ logger: false })],
      controllers: [Health],
      providers: [LeaseholdHealthIndicator],
    })
    class Service {}
    app = await create(Service)
  })
  afterEach(() => app.close())

  async function health(path = ''): Promise<{ status: number; body: string }> {
    const response = await fetch(`http://localhost:${portOf(app)}/health${path}`)
    return { status: response.status, body: await response.text() }
  }

  it('a pool that can lend is up, and nothing stays borrowed', async () => {
    const { status, body } = await health()

    expect(status).toBe(200)
    expect(JSON.parse(body)).toMatchObject({
      details: { database: { status: 'up', state: 'open', lent: 0, waiting: 0, max: 1 } },
    })
    expect(pool.snapshot().connections.lent).toBe(0)
  })

  it('a pool whose database cannot be reached is down, and says why without secrets', async () => {
    driver.script.always('connect', new Error('no route to db.internal'))

    const { status, body } = await health()

    expect(status).toBe(503)
    expect(JSON.parse(body)).toMatchObject({
      details: { database: { status: 'down', code: expect.stringMatching(/CONNECT_FAILED|ACQUIRE_TIMEOUT/) } },
    })
    expect(body).not.toContain('db.internal')
  })

  it('a pool that is all lent for longer than the check may wait is down', async () => {
    await pool.acquire()

    const { status, body } = await health()

    expect(status).toBe(503)
    expect(JSON.parse(body)).toMatchObject({
      details: { database: { status: 'down', code: 'LEASEHOLD_ACQUIRE_TIMEOUT', lent: 1 } },
    })
  })

  it('a closed pool is down', async () => {
    await pool.close()

    expect(JSON.parse((await health()).body)).toMatchObject({
      details: { database: { status: 'down', state: 'closed', code: 'LEASEHOLD_POOL_CLOSED' } },
    })
  })

  it('options that make no sense are a mistake, not an illness', async () => {
    expect(JSON.parse((await health('/nonsense')).body)).toEqual([
      expect.stringContaining('options: expected an object, received null'),
      expect.stringContaining('options: expected an object, received a number'),
      expect.stringContaining('pool: expected a text that is not empty, received 5'),
      expect.stringContaining('timeoutMs: expected milliseconds from 0 on, or Infinity, received NaN'),
      expect.stringContaining('timeoutMs: expected milliseconds from 0 on, or Infinity, received -1'),
      expect.stringContaining('did you mean timeoutMs?'),
    ])
  })

  it('a pool of a name that was not given is a mistake, not an illness', async () => {
    expect((await health('/wrong')).body).toContain('pool: expected one of main, received "reports"')
  })
})
