import type { LeaseholdError } from '@leasehold/core'
import knex from 'knex'

/** Knex's own words: people search for them, and services match them. */
const WORDS =
  'Knex: Timeout acquiring a connection. The pool is probably full. Are you missing a .transacting(trx) call?'

/**
 * No connection was free in time, told as Knex tells it: `instanceof knex.KnexTimeoutError` holds. Who held them stands
 * in the `cause`.
 */
export class LeaseTimeoutError extends knex.KnexTimeoutError {
  readonly code: LeaseholdError['code']
  readonly statusCode: LeaseholdError['statusCode']
  readonly retryAfterMs: LeaseholdError['retryAfterMs']
  override readonly cause: LeaseholdError

  constructor(cause: LeaseholdError) {
    super(`${WORDS} ${cause.message}`)
    this.code = cause.code
    this.statusCode = cause.statusCode
    this.retryAfterMs = cause.retryAfterMs
    this.cause = cause
  }
}
