import type { Server } from 'node:http'
import { createPool, type Pool } from '@leasehold/core'
import { type FakeClient, FakeDriver, Gate } from '@leasehold/testkit'
import {
  type BeforeApplicationShutdown,
  Controller,
  Get,
  type INestApplication,
  Injectable,
  Module,
  type OnModuleDestroy,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { LeaseholdModule } from '../leasehold-module.js'
import { platforms, portOf } from './platforms.js'

let pool: Pool<FakeClient>
beforeEach(() => {
  pool = createPool(new FakeDriver())
})

describe.each(platforms)('on $name', ({ create }) => {
  it('a request under way has its connections until it is answered; then the pool closes', async () => {
    const held = new Gate()
    const order: string[] = []

    @Injectable()
    class Hooks implements OnModuleDestroy, BeforeApplicationShutdown {
      onModuleDestroy(): void {
        order.push(`onModuleDestroy: ${pool.snapshot().state}`)
      }
      beforeApplicationShutdown(): void {
        order.push(`beforeApplicationShutdown: ${pool.snapshot().state}`)
      }
    }

    @Controller()
    class Orders {
      @Get()
      async read(): Promise<string> {
        await pool.use((client) => client.query('first'))
        order.push('request has begun')
        await held.promise
        const answer = await pool.use((client) => client.query('last'))
        order.push(`request is done: ${pool.snapshot().state}`)
        return answer
      }
    }

    @Module({ imports: [LeaseholdModule.forRoot({ pool })], controllers: [Orders], providers: [Hooks] })
    class Service {}
    const app = await create(Service, { drain: true })
    const answer = fetch(`http://localhost:${portOf(app)}/`, { headers: { connection: 'close' } })
    await vi.waitFor(() => expect(order).toHaveLength(1))

    const closed = app.close()
    // Nest stops listening after these hooks, and waits for the request.
    await vi.waitFor(() => expect((app.getHttpServer() as Server).listening).toBe(false))
    held.open()
    await closed

    expect(await (await answer).text()).toBe('last on 1')
    expect(order).toEqual([
      'request has begun',
      'onModuleDestroy: open',
      'beforeApplicationShutdown: open',
      'request is done: open',
    ])
    expect(pool.snapshot()).toMatchObject({ state: 'closed', connections: { total: 0 } })
  })
})

describe('a service without a server', () => {
  async function start(options: object = {}): Promise<Pick<INestApplication, 'close'>> {
    @Module({ imports: [LeaseholdModule.forRoot({ pool, ...options })] })
    class Jobs {}
    return NestFactory.createApplicationContext(Jobs, { logger: false, abortOnError: false })
  }

  it('closes its pool as well, and takes back what is lent once its deadline has passed', async () => {
    const app = await start({ closeDeadlineMs: 0 })
    const lease = await pool.acquire()

    await app.close()

    expect(lease.active).toBe(false)
    expect(pool.snapshot()).toMatchObject({ state: 'closed', connections: { total: 0 } })
  })

  it('leaves the pool open when it is told to', async () => {
    const app = await start({ closePool: false })

    await app.close()

    expect(pool.snapshot().state).toBe('open')
    await pool.close()
  })
})
