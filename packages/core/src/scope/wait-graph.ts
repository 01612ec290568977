import { type Frame, heldAround } from './frame.js'

/** Who holds a connection, as it is named. */
export interface NamedHolder {
  readonly label: string
  /** Where it was asked for, when that was captured. */
  readonly site: string | undefined
}

/** A pool as others wait for it. */
export interface WaitedFor {
  /** Every connection that there can be, and who holds it; undefined as long as one may be free without anybody's doing. */
  allHeld(): ReadonlyMap<object, NamedHolder> | undefined
}

/** A caller that waits for a connection while a frame around it holds some, of this pool or of others. */
export interface WaitingFrame {
  readonly pool: WaitedFor
  readonly frame: Frame
}

/**
 * Who waits for whom, over all pools of a process. A frame cannot end before what it has called has ended: it waits where one
 * of these does. Whoever holds a connection without waiting for one may give it back, and is presumed to.
 */
export class WaitGraph<Waiting extends WaitingFrame> {
  /** In the order in which they came. */
  readonly #waiting = new Set<Waiting>()

  add(waiting: Waiting): void {
    this.#waiting.add(waiting)
  }

  remove(waiting: Waiting): void {
    this.#waiting.delete(waiting)
  }

  /** Those who can never be served unless one of them gives up, the oldest first. */
  deadlocked(): readonly Waiting[] {
    const waiting = [...this.#waiting].map((caller) => ({ caller, holds: heldAround(caller.frame) }))
    const stuck = new Map<WaitedFor, ReadonlyMap<object, NamedHolder>>()
    for (const { caller } of waiting) {
      const held = stuck.has(caller.pool) ? undefined : caller.pool.allHeld()
      if (held !== undefined) stuck.set(caller.pool, held)
    }
    // A pool is stuck as long as all of its connections are held by those who wait for one that is stuck.
    for (let before = -1; before !== stuck.size;) {
      before = stuck.size
      const waits = new Set<object>()
      for (const { caller, holds } of waiting) {
        if (stuck.has(caller.pool)) for (const connection of holds) waits.add(connection)
      }
      for (const [pool, held] of stuck) {
        for (const connection of held.keys()) if (!waits.has(connection)) stuck.delete(pool)
      }
    }
    return waiting.map(({ caller }) => caller).filter(({ pool }) => stuck.has(pool))
  }
}
