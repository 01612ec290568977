import { Readable } from 'node:stream'
import { type ById, input, linesOf, type NewOrder, type Order, type Store } from '@leasehold/example-orders'
import { Body, Controller, Get, Inject, Param, Post, StreamableFile } from '@nestjs/common'
import { matching } from './matching.js'
import { STORE } from './store-token.js'

@Controller()
export class OrdersController {
  readonly #store: Store

  constructor(@Inject(STORE) store: Store) {
    this.#store = store
  }

  @Post('orders')
  place(@Body(matching(input.order)) order: NewOrder): Promise<Order> {
    return this.#store.placeOrder(order)
  }

  @Get('orders/export')
  export(): StreamableFile {
    return new StreamableFile(Readable.from(linesOf(this.#store.allOrders()), { objectMode: false }), {
      type: 'application/x-ndjson',
    })
  }

  @Get('orders/:id')
  read(@Param(matching(input.byId)) { id }: ById): Promise<Order> {
    return this.#store.order(id)
  }

  @Get('accounts/:id/orders')
  ofAccount(@Param(matching(input.byId)) { id }: ById): Promise<readonly Order[]> {
    return this.#store.ordersOf(id)
  }
}
