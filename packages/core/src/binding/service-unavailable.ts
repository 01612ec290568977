import { findLeaseholdError } from '../errors/find-leasehold-error.js'
import type { LeaseholdErrorCode } from '../errors/leasehold-error.js'

/** How a request is answered that could not get a connection. */
export interface ServiceUnavailable {
  /** For the `Retry-After` header, in seconds. */
  readonly retryAfter: number
  /** Without anything that is not a client's business: who holds the connections stays in the logs. */
  readonly body: {
    readonly statusCode: 503
    readonly error: 'Service Unavailable'
    readonly code: LeaseholdErrorCode
    readonly message: string
  }
}

/**
 * The answer to an error that means "no connection now", looked for along the chain of causes because ORMs wrap what a
 * pool throws; undefined for every other error, and for one that brings another status.
 */
export function serviceUnavailable(error: unknown): ServiceUnavailable | undefined {
  const found = findLeaseholdError(error)
  if (found?.statusCode !== 503) return undefined
  if (error !== found && bringsAnother(error)) return undefined
  const retryAfter = Math.max(1, Math.ceil((found.retryAfterMs ?? 0) / 1_000))
  const message = `The service cannot answer at the moment: try again in ${retryAfter} s`
  return { retryAfter, body: { statusCode: 503, error: 'Service Unavailable', code: found.code, message } }
}

/** Whether somebody on the way has decided already how the client is answered, in the ways that Fastify and Express know. */
function bringsAnother(error: unknown): boolean {
  const { statusCode, status } = error as { readonly statusCode?: unknown; readonly status?: unknown }
  return isAnother(statusCode) || isAnother(status)
}

function isAnother(status: unknown): boolean {
  return typeof status === 'number' && status >= 400 && status <= 599 && status !== 503
}
