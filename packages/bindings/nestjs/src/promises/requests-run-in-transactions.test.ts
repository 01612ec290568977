import { createPool, currentTransaction, type Pool } from '@leasehold/core'
import { FakeDriver, type FakeClient } from '@leasehold/testkit'
import {
  Body,
  type CanActivate,
  Controller,
  Get,
  Header,
  HttpCode,
  HttpException,
  type INestApplication,
  Module,
  Param,
  ParseIntPipe,
  Post,
  SetMetadata,
  UseGuards,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ClientProxyFactory, MessagePattern, type MicroserviceOptions, Payload, Transport } from '@nestjs/microservices'
import { firstValueFrom } from 'rxjs'
import { freePort } from '@leasehold/testkit/postgres'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LeaseholdModule, Transactional } from '../index.js'
import { platforms, portOf } from './platforms.js'

let driver: FakeDriver
let pool: Pool<FakeClient>
let app: INestApplication

beforeEach(() => {
  driver = new FakeDriver()
  pool = createPool(driver, { max: 2, closeGraceMs: 20 })
})

const insert = (row: string): Promise<string> => pool.use((client) => client.query(`insert ${row}`))

class Guard implements CanActivate {
  canActivate(): boolean {
    return currentTransaction() === undefined
  }
}

describe.each(platforms)('a handler with @Transactional on $name', ({ create }) => {
  afterEach(() => app.close())

  async function start(Orders: new () => unknown): Promise<void> {
    @Module({ imports: [LeaseholdModule.forRoot({ pool })], controllers: [Orders] })
    class Service {}
    app = await create(Service)
  }

  const ask = (path: string, options: RequestInit = {}): Promise<Response> =>
    fetch(`http://127.0.0.1:${portOf(app)}${path}`, options)

  it('keeps its route, status, headers, guards, pipes and parameters, in whatever order the decorators stand', async () => {
    @Controller('orders')
    class Orders {
      @Transactional()
      @Post('above/:id')
      @HttpCode(202)
      @Header('x-is', 'here')
      @UseGuards(Guard)
      @SetMetadata('mine', 1)
      async above(@Param('id', ParseIntPipe) id: number, @Body() body: string): Promise<unknown> {
        return { id, body, inside: currentTransaction() !== undefined }
      }

      @Post('below/:id')
      @HttpCode(202)
      @Header('x-is', 'here')
      @UseGuards(Guard)
      @SetMetadata('mine', 1)
      @Transactional()
      async below(@Param('id', ParseIntPipe) id: number, @Body() body: string): Promise<unknown> {
        return { id, body, inside: currentTransaction() !== undefined }
      }
    }
    await start(Orders)

    for (const path of ['above', 'below']) {
      const post = { method: 'POST', body: 'text', headers: { 'content-type': 'text/plain' } }
      const answer = await ask(`/orders/${path}/7`, post)
      expect([answer.status, answer.headers.get('x-is')]).toEqual([202, 'here'])
      expect(await answer.json()).toEqual({ id: 7, body: 'text', inside: true })
      expect((await ask(`/orders/${path}/seven`, post)).status).toBe(400)
      expect(Reflect.getMetadata('mine', Orders.prototype[path as 'above'])).toBe(1)
    }
  })

  it('is rolled back by what it throws, of whatever status, and by a commit that fails, which is no 200', async () => {
    @Controller()
    class Orders {
      @Get('/:how')
      @Transactional()
      async write(@Param('how') how: string): Promise<string> {
        await insert('a')
        if (how === 'commit') driver.script.next('query', 'error')
        else throw how === 'conflict' ? new HttpException('no', 409) : new Error('no')
        return 'done'
      }
    }
    await start(Orders)
    const statuses: number[] = []
    for (const how of ['conflict', 'error', 'commit']) statuses.push((await ask(`/${how}`)).status)
    expect(statuses).toEqual([409, 500, 500])
    expect(driver.rows).toEqual([])
    expect(pool.snapshot().connections.lent).toBe(0)
  })
})

it('a message handler with @Transactional is committed before its answer', async () => {
  @Controller()
  class Orders {
    @Transactional()
    @MessagePattern('write')
    async write(@Payload() row: string): Promise<string> {
      await insert(row)
      return `${driver.rows.length} there`
    }
  }
  @Module({ imports: [LeaseholdModule.forRoot({ pool })], controllers: [Orders] })
  class Service {}
  const port = await freePort()
  const tcp = { transport: Transport.TCP as const, options: { port } }
  const service = await NestFactory.createMicroservice<MicroserviceOptions>(Service, { ...tcp, logger: false })
  await service.listen()
  const client = ClientProxyFactory.create(tcp)
  expect(await firstValueFrom(client.send('write', 'a'))).toBe('0 there')
  expect(driver.rows).toEqual(['a'])
  client.close()
  await service.close()
})
