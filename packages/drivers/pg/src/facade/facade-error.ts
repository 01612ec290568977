import { AcquireTimeoutError, attachLeaseholdError, ConnectFailedError } from '@leasehold/core'

/** What pg-pool says when a caller's turn did not come in time. */
const QUEUE_TIMEOUT = 'timeout exceeded when trying to connect'
/** What pg-pool says when the server did not answer in time. */
const CONNECT_TIMEOUT = 'Connection terminated due to connection timeout'

/**
 * The error of a failed acquire, as callers of a pg.Pool know it: a failed dial is the driver's own error, whose `code`
 * they look at; a timeout begins with pg-pool's words, and keeps our code and facts.
 */
export function facadeError(error: unknown): unknown {
  if (error instanceof ConnectFailedError) {
    if (error.timedOut) return new Error(CONNECT_TIMEOUT, { cause: error })
    // For a binding that answers 503 when it is one of ours.
    if (typeof error.cause === 'object' && error.cause !== null) attachLeaseholdError(error.cause, error)
    return error.cause
  }
  if (error instanceof AcquireTimeoutError) {
    // With connections under way and none lent, the server is what everybody waits for.
    const words = error.total > 0 && error.holders.length === 0 ? CONNECT_TIMEOUT : QUEUE_TIMEOUT
    if (!error.message.startsWith(words)) error.message = `${words}: ${error.message}`
  }
  return error
}
