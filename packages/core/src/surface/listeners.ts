import { checkEvent } from '../events/check-event.js'
import type { PoolEventName, PoolEvents } from '../events/pool-events.js'
import { subscribe } from '../events/subscribe.js'
import { bindToContext } from '../scope/context.js'

/** Who listens to the events of one pool. The channels are the process's, and would keep those of a closed pool for ever. */
export class Listeners {
  readonly #poolId: number
  readonly #stops = new Set<() => void>()

  constructor(poolId: number) {
    this.#poolId = poolId
  }

  /** @see Pool.on */
  add<Name extends PoolEventName>(event: Name, listener: (event: PoolEvents[Name]) => void): () => void {
    checkEvent(event, listener)
    // Published from whoever's request it happens to be; heard where the listener belongs.
    const stop = subscribe(this.#poolId, event, bindToContext(listener))
    this.#stops.add(stop)
    return () => {
      this.#stops.delete(stop)
      stop()
    }
  }

  /** There is nothing more to hear. */
  stop(): void {
    for (const stop of this.#stops) stop()
    this.#stops.clear()
  }
}
