import { createPool, currentScope, type Pool } from '@leasehold/core'
import { type FakeClient, FakeDriver } from '@leasehold/testkit'
import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  type INestApplication,
  type INestMicroservice,
  Module,
  UseGuards,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import {
  type ClientProxy,
  ClientProxyFactory,
  MessagePattern,
  type MicroserviceOptions,
  Transport,
} from '@nestjs/microservices'
import { firstValueFrom } from 'rxjs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { freePort } from '@leasehold/testkit/postgres'
import { LeaseholdModule } from '../leasehold-module.js'
import type { LeaseholdWork } from '../leasehold-options.js'
import { platforms, portOf } from './platforms.js'

interface Authenticated {
  readonly headers: Readonly<Record<string, string>>
  tenant?: string
}

let driver: FakeDriver
let pool: Pool<FakeClient>

beforeEach(() => {
  driver = new FakeDriver()
  pool = createPool(driver, { max: 1, requireSettings: ['app.tenant_id'] })
})

const query = (): Promise<string> => pool.use((client) => client.query('q'))
const OWN = ['1', '2'].map((tenant) => ({ 'app.tenant_id': tenant }))

function met(): unknown {
  return driver.sessions.flatMap(({ settings }) => settings.ran.map((statement) => statement.settings))
}

describe.each(platforms)('a request on $name', ({ create }) => {
  let app: INestApplication

  afterEach(() => app.close())

  async function askAsTwo(): Promise<void> {
    for (const tenant of ['1', '2']) {
      const answer = await fetch(`http://127.0.0.1:${portOf(app)}/`, { headers: { 'x-tenant': tenant } })
      expect([answer.status, await answer.text()]).toEqual([200, 'q on 1'])
    }
  }

  it('has the settings that the function finds in what guards have left on it', async () => {
    class Guard implements CanActivate {
      canActivate(context: ExecutionContext): boolean {
        const request = context.switchToHttp().getRequest<Authenticated>()
        request.tenant = request.headers['x-tenant'] ?? ''
        return true
      }
    }

    @Controller()
    @UseGuards(Guard)
    class Orders {
      @Get('/')
      read() {
        return query()
      }
    }

    const settings = (work: LeaseholdWork) =>
      work.type === 'http' ? { 'app.tenant_id': (work.request as Authenticated).tenant ?? '' } : {}
    @Module({ imports: [LeaseholdModule.forRoot({ pool, settings })], controllers: [Orders] })
    class Service {}
    app = await create(Service)

    await askAsTwo()

    expect(met()).toEqual(OWN)
  })

  it('has the settings that a guard declares in its scope', async () => {
    class Guard implements CanActivate {
      canActivate(context: ExecutionContext): boolean {
        const { headers } = context.switchToHttp().getRequest<Authenticated>()
        currentScope()?.set({ 'app.tenant_id': headers['x-tenant'] ?? '' })
        return true
      }
    }

    @Controller()
    @UseGuards(Guard)
    class Orders {
      @Get('/')
      read() {
        return query()
      }
    }

    @Module({ imports: [LeaseholdModule.forRoot({ pool })], controllers: [Orders] })
    class Service {}
    app = await create(Service)

    await askAsTwo()

    expect(met()).toEqual(OWN)
  })
})

describe('a message of a microservice', () => {
  let service: INestMicroservice
  let client: ClientProxy

  afterEach(async () => {
    client.close()
    await service.close()
  })

  it('has the settings that the function finds in it', async () => {
    @Controller()
    class Orders {
      @MessagePattern('read')
      read() {
        return query()
      }
    }

    const settings = (work: LeaseholdWork) =>
      work.type === 'message'
        ? { 'app.tenant_id': work.context.switchToRpc().getData<{ tenant: string }>().tenant }
        : undefined
    @Module({ imports: [LeaseholdModule.forRoot({ pool, settings })], controllers: [Orders] })
    class Service {}
    const port = await freePort()
    service = await NestFactory.createMicroservice<MicroserviceOptions>(Service, {
      transport: Transport.TCP,
      options: { port },
      logger: false,
    })
    await service.listen()
    client = ClientProxyFactory.create({ transport: Transport.TCP, options: { port } })

    for (const tenant of ['1', '2']) await firstValueFrom(client.send('read', { tenant }))

    expect(met()).toEqual(OWN)
  })
})
