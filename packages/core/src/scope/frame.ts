/** A lease as a frame holds it. */
export interface HeldByFrame {
  /** Whether it goes on. */
  readonly open: boolean
  /** The physical connection; leases that share a session have the same one. */
  readonly connection: object
}

/** One run of `use`, or of a transaction. Frames nest; those of different pools do so together. */
export interface Frame {
  readonly poolId: number
  /** The pool's name, for errors. */
  readonly pool: string
  /** The one around it, on this pool or another. */
  readonly outer: Frame | undefined
  /** Whether it is a transaction, which others may join; otherwise it only holds a connection. */
  readonly isTransaction: boolean
  /** What it holds of its pool: shared with the one around it, where it has joined that. */
  readonly holds: HeldByFrame | undefined
}

/** The connections of one pool that a frame and those around it hold; of every pool, if none is named. */
export function heldAround(frame: Frame | undefined, poolId?: number): ReadonlySet<object> {
  const held = new Set<object>()
  for (let at = frame; at !== undefined; at = at.outer) {
    if (at.holds?.open === true && (poolId === undefined || at.poolId === poolId)) held.add(at.holds.connection)
  }
  return held
}
