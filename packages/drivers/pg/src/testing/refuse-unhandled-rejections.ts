import { afterEach, beforeEach } from 'vitest'

/** To be called at the top of a test file: a test in which a rejection is not handled fails. */
export function refuseUnhandledRejections(): void {
  let unhandled: unknown[] = []
  const note = (reason: unknown): void => void unhandled.push(reason)

  beforeEach(() => {
    unhandled = []
    process.on('unhandledRejection', note)
  })

  afterEach(() => {
    process.off('unhandledRejection', note)
    if (unhandled.length > 0) throw new Error('a rejection was not handled', { cause: unhandled[0] })
  })
}
