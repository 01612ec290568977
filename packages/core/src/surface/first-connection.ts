import type { PoolEventName, PoolEvents } from '../events/pool-events.js'

type Subscribe = <Name extends PoolEventName>(event: Name, listener: (event: PoolEvents[Name]) => void) => () => void

/** The first connection of a pool. */
export interface FirstConnection {
  /** Settles when it is opened, or fails to be. */
  readonly ready: Promise<void>
  /** There will be none. */
  forgo(why: Error): void
}

/** Waits for the first connection of a pool that is opened or fails to be. */
export function firstConnection(on: Subscribe): FirstConnection {
  let forgo = (_why: Error): void => {}
  const ready = new Promise<void>((resolve, reject) => {
    const done = (settle: () => void): void => {
      offOpen()
      offFailed()
      settle()
    }
    const offOpen = on('open', () => done(resolve))
    const offFailed = on('open-failed', ({ error }) => done(() => reject(error)))
    forgo = (why) => done(() => reject(why))
  })
  // Who never asks for ready() has chosen not to know: that must not end the process.
  ready.catch(() => {})
  return { ready, forgo }
}
