import { afterEach, beforeEach } from 'vitest'
import { settled } from '../settled.js'

/** To be called at the top of a test file or a `describe`: a test fails in which a rejection or an exception is nobody's. */
export function refuseUnhandledErrors(): void {
  let unhandled: unknown[] = []
  const note = (reason: unknown): void => void unhandled.push(reason)

  beforeEach(() => {
    unhandled = []
    process.on('unhandledRejection', note).on('uncaughtException', note)
  })

  afterEach(async () => {
    await settled()
    process.off('unhandledRejection', note).off('uncaughtException', note)
    if (unhandled.length > 0) throw new Error('an error was not handled', { cause: unhandled[0] })
  })
}
