// Compiled, never run: what a NestJS service in strict TypeScript writes.

import {
  getPoolToken,
  InjectPool,
  type LeaseholdAsyncOptions,
  LeaseholdInterceptor,
  LeaseholdModule,
  type LeaseholdOptions,
  serviceUnavailable,
} from '@leasehold/nestjs'
import { LeaseholdHealthIndicator } from '@leasehold/nestjs/terminus'
import { createPgPool, LeasedPgPool } from '@leasehold/pg'
import { Controller, Get, Inject, Injectable, Module, UseInterceptors } from '@nestjs/common'

const pool = createPgPool({ max: 5 })

@Injectable()
export class Settings {
  readonly max = 3
}

@Controller('orders')
@UseInterceptors(LeaseholdInterceptor)
export class Orders {
  constructor(
    @InjectPool() private readonly pool: LeasedPgPool,
    @Inject(getPoolToken('reports')) readonly reports: LeasedPgPool,
  ) {}

  @Get(':id')
  async read(): Promise<number> {
    return (await this.pool.query('select 1')).rows.length
  }
}

export const later: LeaseholdAsyncOptions = {
  inject: [Settings],
  useFactory: ({ max }: Settings): LeaseholdOptions => ({ pool: createPgPool({ max }) }),
}

@Module({
  imports: [LeaseholdModule.forRoot({ pool, mode: 'session', label: ({ method, url }) => `${method} ${url}` })],
  controllers: [Orders],
})
export class Service {}

export const again = [LeaseholdModule.forRootAsync(later), LeaseholdModule.forRoot({ pools: { main: pool } })]
// @ts-expect-error -- there is no pool
LeaseholdModule.forRoot({})
// @ts-expect-error -- there is no such option
LeaseholdModule.forRoot({ pool, prio: 1 })

export const retryAfter: number | undefined = serviceUnavailable(new Error('of an ORM'))?.retryAfter
export const check = (indicator: LeaseholdHealthIndicator) => indicator.isHealthy('database', { pool: 'reports' })
