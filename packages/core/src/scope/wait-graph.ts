/** Who holds a connection, as it is named. */
export interface NamedHolder {
  readonly label: string
  /** Where it was asked for, when that was captured. */
  readonly site: string | undefined
}

/** What others wait for: a connection of a pool, or a place among those that their scope may have. */
export interface WaitedFor {
  /**
   * All that there can be of it, and who holds it, where that has a name: connections, and places of those who have no
   * connection yet. Undefined as long as one may be free without anybody's doing.
   */
  allHeld(): ReadonlyMap<object, NamedHolder | undefined> | undefined
}

/** A caller that waits, and keeps others from what it holds until it is served. */
export interface WaitingCaller {
  readonly waitsFor: WaitedFor
  /** Connections that frames around it hold, of this pool or of others; and its place, if it has one. */
  holds(): Iterable<object>
}

/**
 * Who waits for whom, over all pools of a process. A frame cannot end before what it has called has ended: it waits where one
 * of these does. Whoever holds a connection without waiting for one may give it back, and is presumed to.
 */
export class WaitGraph<Waiting extends WaitingCaller> {
  /** In the order in which they came. */
  readonly #waiting = new Set<Waiting>()

  add(waiting: Waiting): void {
    this.#waiting.add(waiting)
  }

  remove(waiting: Waiting): void {
    this.#waiting.delete(waiting)
  }

  /**
   * Those who can never be served unless one of them gives up, the oldest first: in groups, of which none has anything to do
   * with the other.
   */
  deadlocked(): ReadonlyArray<readonly Waiting[]> {
    const waiting = [...this.#waiting].map((caller) => ({ caller, holds: [...caller.holds()] }))
    const stuck = new Map<WaitedFor, ReadonlyMap<object, unknown>>()
    for (const { caller } of waiting) {
      const held = stuck.has(caller.waitsFor) ? undefined : caller.waitsFor.allHeld()
      if (held !== undefined) stuck.set(caller.waitsFor, held)
    }
    // Nothing of it will come back as long as all is held by those who wait for something else of that kind.
    for (let before = -1; before !== stuck.size;) {
      before = stuck.size
      const waits = new Set<object>()
      for (const { caller, holds } of waiting) {
        if (stuck.has(caller.waitsFor)) for (const held of holds) waits.add(held)
      }
      for (const [waitedFor, all] of stuck) {
        for (const held of all.keys()) if (!waits.has(held)) stuck.delete(waitedFor)
      }
    }
    return inGroups(
      waiting.filter(({ caller }) => stuck.has(caller.waitsFor)),
      stuck,
    )
  }
}

/** Those belong together who wait for the same, or hold something of what the other waits for. */
function inGroups<Waiting extends WaitingCaller>(
  waiting: ReadonlyArray<{ readonly caller: Waiting; readonly holds: readonly object[] }>,
  stuck: ReadonlyMap<WaitedFor, ReadonlyMap<object, unknown>>,
): ReadonlyArray<readonly Waiting[]> {
  const joinedTo = new Map<object, object>()
  const groupOf = (thing: object): object => {
    let at = thing
    for (let next = joinedTo.get(at); next !== undefined; next = joinedTo.get(at)) at = next
    return at
  }
  const join = (one: object, other: object): void => {
    const [from, to] = [groupOf(one), groupOf(other)]
    if (from !== to) joinedTo.set(from, to)
  }
  for (const [waitedFor, all] of stuck) for (const held of all.keys()) join(held, waitedFor)
  for (const { caller, holds } of waiting) for (const held of holds) join(held, caller.waitsFor)
  const groups = new Map<object, Waiting[]>()
  for (const { caller } of waiting) {
    const group = groupOf(caller.waitsFor)
    groups.set(group, [...(groups.get(group) ?? []), caller])
  }
  return [...groups.values()]
}
