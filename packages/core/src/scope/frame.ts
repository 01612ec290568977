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
  /** Whether an ORM has begun it for itself. What its callback asks for besides, it may well not await before it ends. */
  readonly isOrmsOwn: boolean
  /** What it holds of its pool: shared with the one around it, where it has joined that. */
  readonly holds: HeldByFrame | undefined
}

/** The connections of one pool that a frame and those around it hold; of every pool, if none is named. */
export function heldAround(frame: Frame | undefined, poolId?: number): ReadonlySet<object> {
  return heldBy(frame, (at) => poolId === undefined || at.poolId === poolId)
}

/** The same, of those frames alone that end when all they have asked for has ended. */
export function heldUntilServed(frame: Frame, poolId: number): ReadonlySet<object> {
  return heldBy(frame, (at) => at.poolId === poolId && !at.isOrmsOwn)
}

function heldBy(frame: Frame | undefined, counts: (frame: Frame) => boolean): ReadonlySet<object> {
  const held = new Set<object>()
  for (let at = frame; at !== undefined; at = at.outer) {
    if (at.holds?.open === true && counts(at)) held.add(at.holds.connection)
  }
  return held
}
