import { AcquireTimeoutError, attachLeaseholdError, ConnectFailedError } from '@leasehold/core'

/** What pg-pool says when a caller's turn did not come in time. */
const QUEUE_TIMEOUT = 'timeout exceeded when trying to connect'
/** What pg-pool says when the server did not answer in time. */
const CONNECT_TIMEOUT = 'Connection terminated due to connection timeout'

/** Errors that have been given to a caller. */
const given = new WeakSet()

/**
 * The error of a failed acquire, as callers of a pg.Pool know it: a failed dial is the driver's own error, whose `code`
 * they look at; a timeout begins with pg-pool's words, and keeps our code and facts. In compat it says those words only,
 * for who compares them, and what we have to say is its cause.
 */
export function facadeError(error: unknown, isCompat: boolean): unknown {
  if (error instanceof ConnectFailedError) {
    if (error.timedOut) return new Error(CONNECT_TIMEOUT, { cause: error })
    if (typeof error.cause !== 'object' || error.cause === null) return error.cause
    const own = error.kind === 'denied' && given.has(error.cause) ? copyOf(error.cause) : error.cause
    given.add(own)
    // For a binding that answers 503 when it is one of ours.
    attachLeaseholdError(own, error)
    return own
  }
  if (error instanceof AcquireTimeoutError) {
    // With connections under way and none lent, the server is what everybody waits for.
    const words = error.total > 0 && error.holders.length === 0 ? CONNECT_TIMEOUT : QUEUE_TIMEOUT
    if (isCompat && error.message !== words) {
      error.cause = new Error(error.message, { cause: error.cause })
      error.message = words
    } else if (!error.message.startsWith(words)) error.message = `${words}: ${error.message}`
  }
  return error
}

/** A wrong password answers all who wait, and each of them has an error of its own: it gets the stack of its line. */
function copyOf(error: object): object {
  return Object.create(Object.getPrototypeOf(error) as object, Object.getOwnPropertyDescriptors(error)) as object
}
