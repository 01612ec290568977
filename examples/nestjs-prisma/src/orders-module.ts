import type { ServiceOptions } from '@leasehold/example-orders'
import { LeaseholdModule } from '@leasehold/nestjs'
import { type DynamicModule, Module } from '@nestjs/common'
import { APP_FILTER } from '@nestjs/core'
import { AccountsController } from './accounts-controller.js'
import { AnswerErrors } from './answer-errors.js'
import { HealthController } from './health-controller.js'
import { MistakesController } from './mistakes-controller.js'
import { OrdersController } from './orders-controller.js'
import { STORE } from './store-token.js'
import { TransfersController } from './transfers-controller.js'

/** The service. */
@Module({ controllers: [HealthController, AccountsController, OrdersController, TransfersController] })
export class OrdersModule {
  static on({ pool, store, closePool, labelPrefix = '', withMistakes = false }: ServiceOptions): DynamicModule {
    const label = ({ method, url }: { readonly method: string; readonly url: string | undefined }): string =>
      `${labelPrefix}${method} ${url ?? '(no route)'}`
    return {
      module: OrdersModule,
      // Each request has a scope: whatever it borrows of the pool is back when its response has closed.
      imports: [LeaseholdModule.forRoot({ pool, closePool, label })],
      controllers: withMistakes ? [MistakesController] : [],
      providers: [
        { provide: STORE, useValue: store },
        { provide: APP_FILTER, useClass: AnswerErrors },
      ],
    }
  }
}
