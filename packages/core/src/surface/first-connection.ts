import type { PoolEventName, PoolEvents } from '../events/pool-events.js'

type Subscribe = <Name extends PoolEventName>(event: Name, listener: (event: PoolEvents[Name]) => void) => () => void

/** Settles with the first connection of a pool that is opened or fails to be. */
export function firstConnection(on: Subscribe): Promise<void> {
  const first = new Promise<void>((resolve, reject) => {
    const done = (settle: () => void): void => {
      offOpen()
      offFailed()
      settle()
    }
    const offOpen = on('open', () => done(resolve))
    const offFailed = on('open-failed', ({ error }) => done(() => reject(error)))
  })
  // Who never asks for ready() has chosen not to know: that must not end the process.
  first.catch(() => {})
  return first
}
