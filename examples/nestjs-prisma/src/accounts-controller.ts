import { type Account, type ById, input, type NewAccount, type Store } from '@leasehold/example-orders'
import { Body, Controller, Get, Inject, Param, Post } from '@nestjs/common'
import { matching } from './matching.js'
import { STORE } from './store-token.js'

@Controller('accounts')
export class AccountsController {
  readonly #store: Store

  constructor(@Inject(STORE) store: Store) {
    this.#store = store
  }

  @Post()
  open(@Body(matching(input.account)) account: NewAccount): Promise<Account> {
    return this.#store.openAccount(account)
  }

  @Get(':id')
  read(@Param(matching(input.byId)) { id }: ById): Promise<Account> {
    return this.#store.account(id)
  }
}
