import { facadeError } from './facade-error.js'
import { nextTick } from '../session/event-loop.js'

/**
 * A promise that fails with what a caller of a pg.Pool knows of `error`. The error was made in a timer or at a socket:
 * its stack is taken anew where the promise fails, and so leads to the lines of whoever awaits it; that is why it does not
 * fail before somebody can.
 */
export function failureFor(error: unknown, isCompat: boolean): Promise<never> {
  return new Promise<never>((_resolve, reject) => nextTick(reject, error)).catch(function rethrow(): never {
    const known = facadeError(error, isCompat)
    if (known instanceof Error && Object.isExtensible(known)) Error.captureStackTrace(known, rethrow)
    throw known
  })
}
