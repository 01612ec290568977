import { mistakes, type Store, type Tools } from '@leasehold/example-orders'
import { InjectPool } from '@leasehold/nestjs'
import type { LeasedPgPool } from '@leasehold/pg'
import { Controller, HttpCode, Inject, Post } from '@nestjs/common'
import { STORE } from './store-token.js'

@Controller('mistakes')
export class MistakesController {
  readonly #tools: Tools

  constructor(@InjectPool() pool: LeasedPgPool, @Inject(STORE) store: Store) {
    this.#tools = { pool, store }
  }

  @Post('forget-to-release')
  @HttpCode(200)
  forgetToRelease(): Promise<unknown> {
    return mistakes['forget-to-release'](this.#tools)
  }

  @Post('forget-to-commit')
  @HttpCode(200)
  forgetToCommit(): Promise<unknown> {
    return mistakes['forget-to-commit'](this.#tools)
  }

  @Post('hold-too-long')
  @HttpCode(200)
  holdTooLong(): Promise<unknown> {
    return mistakes['hold-too-long'](this.#tools)
  }

  @Post('work-after-response')
  @HttpCode(200)
  workAfterResponse(): Promise<unknown> {
    return mistakes['work-after-response'](this.#tools)
  }

  @Post('throw')
  @HttpCode(200)
  throw(): Promise<unknown> {
    return mistakes.throw(this.#tools)
  }
}
