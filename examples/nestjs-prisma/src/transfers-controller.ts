import { currentScope } from '@leasehold/core'
import { input, type NewTransfer, type Store, type Transfer } from '@leasehold/example-orders'
import { Body, Controller, Inject, Post } from '@nestjs/common'
import { matching } from './matching.js'
import { STORE } from './store-token.js'

@Controller('transfers')
export class TransfersController {
  readonly #store: Store

  constructor(@Inject(STORE) store: Store) {
    this.#store = store
  }

  @Post()
  async make(@Body(matching(input.transfer)) order: NewTransfer): Promise<Transfer> {
    const signal = currentScope()?.signal
    // Locks may be long in coming, and a client that has hung up would never learn that its money moved.
    return this.#store.transfer(order, () => signal?.throwIfAborted())
  }
}
