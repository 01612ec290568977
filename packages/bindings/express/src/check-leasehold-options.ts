import type { IncomingMessage } from 'node:http'
import { type BindingOptions, checkBindingOptions, type NamedPools } from '@leasehold/core'

/** The options of the middleware, checked; the only pool is called `main`. */
export type CheckedOptions = BindingOptions<IncomingMessage & Express.Request> & NamedPools

/** Refuses options in which anything is wrong, all of it in one error. */
export function checkLeaseholdOptions(options: unknown): CheckedOptions {
  return checkBindingOptions<object>('The leasehold middleware', options, {}) as CheckedOptions
}
