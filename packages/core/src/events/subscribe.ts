import { subscribe as listen, unsubscribe } from 'node:diagnostics_channel'
import { channels } from './channels.js'
import type { OfPool, PoolEventName, PoolEvents } from './pool-events.js'

/** Calls `listener` for each event of one pool; returns what stops it. */
export function subscribe<Name extends PoolEventName>(
  poolId: number,
  event: Name,
  listener: (event: PoolEvents[Name]) => void,
): () => void {
  const { name } = channels[event]
  const onMessage = (message: unknown): void => {
    const told = message as OfPool
    // The tracing channel of acquire also tells of those that failed; `timeout` and its like stand for these.
    if (told.poolId !== poolId || (event === 'acquire' && 'error' in told)) return
    listener(message as PoolEvents[Name])
  }
  listen(name, onMessage)
  return () => {
    unsubscribe(name, onMessage)
  }
}
