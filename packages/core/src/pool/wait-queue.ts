import type { Priority } from '../options/pool-options.js'
import { QueueDelay } from './queue-delay.js'
import type { Waiter } from './waiter.js'

/**
 * How many hand-overs in a row may pass an older waiter of a lower priority. The next one is then its turn, so that low
 * priority means later, never never. Vitess uses the same number for its settings pool.
 */
const AGE_CAP = 8
/** Without a target of its own, a pool takes so much of each caller's patience for a delay that need not be. */
const SHARE_OF_PATIENCE = 0.05
/** Who has waited for so many targets is late. */
const LATE = 2

/** How the delay of a queue is kept in check. */
export interface QueueDelayLimits {
  readonly targetMs: number | undefined
  readonly intervalMs: number
}

/** The callers of one priority, in order of arrival. */
class WaitList<Client> {
  first: Waiter<Client> | undefined
  last: Waiter<Client> | undefined
  size = 0
  /** Hand-overs that went past its oldest waiter since it was last served. */
  passedOver = 0
  readonly delay: QueueDelay | undefined

  constructor(delay: QueueDelay | undefined) {
    this.delay = delay
  }

  append(waiter: Waiter<Client>): void {
    this.delay?.joins(this.size === 0)
    waiter.previous = this.last
    if (this.last === undefined) this.first = waiter
    else this.last.next = waiter
    this.last = waiter
    waiter.queued = true
    this.size += 1
  }

  remove(waiter: Waiter<Client>): void {
    if (waiter.previous === undefined) this.first = waiter.next
    else waiter.previous.next = waiter.next
    if (waiter.next === undefined) this.last = waiter.previous
    else waiter.next.previous = waiter.previous
    waiter.previous = undefined
    waiter.next = undefined
    waiter.queued = false
    this.size -= 1
    if (this.size === 0) this.passedOver = 0
  }
}

/**
 * Who waits for a connection. The oldest waiter of the highest priority is served first, but for the age cap. Joining,
 * leaving from any place and taking the next one take constant time.
 */
export class WaitQueue<Client> {
  readonly #high: WaitList<Client>
  readonly #normal: WaitList<Client>
  readonly #low: WaitList<Client>
  readonly #limits: QueueDelayLimits | undefined
  readonly #stands: (now: number) => void
  #size = 0
  #sequence = 0

  /** @param stands is called when an interval has ended in which more callers came than were served, and all waited. */
  constructor(limits?: QueueDelayLimits, stands: (now: number) => void = () => {}) {
    const list = (): WaitList<Client> => new WaitList(limits && new QueueDelay(limits.intervalMs))
    this.#limits = limits
    this.#stands = stands
    this.#high = list()
    this.#normal = list()
    this.#low = list()
  }

  get size(): number {
    return this.#size
  }

  sizeOf(priority: Priority): number {
    return this.#listOf(priority).size
  }

  add(waiter: Waiter<Client>): void {
    waiter.sequence = this.#sequence++
    this.#listOf(waiter.priority).append(waiter)
    this.#size += 1
  }

  /** Takes the waiter out, wherever it stands; false when it is not in the queue any more. */
  remove(waiter: Waiter<Client>): boolean {
    if (!waiter.queued) return false
    this.#listOf(waiter.priority).remove(waiter)
    this.#size -= 1
    return true
  }

  /** Takes out the waiter whose turn it is. @param servedAt when it is served by it; not given, it is refused. */
  shift(servedAt?: number): Waiter<Client> | undefined {
    if (this.#size === 0) return undefined
    const list = this.#nextList()
    const waiter = list.first
    if (waiter === undefined) throw new Error('bug in Leasehold: the wait queue lost count of its waiters')
    if (list !== this.#low) this.#passOver(waiter.sequence, list)
    list.passedOver = 0
    list.remove(waiter)
    this.#size -= 1
    if (servedAt !== undefined && list.delay?.serves(servedAt - waiter.joinedAt, servedAt) === true) {
      this.#stands(servedAt)
    }
    return waiter
  }

  /** Who came last of the lowest priority below `priority`, if anybody of such waits. */
  lastBelow(priority: Priority): Waiter<Client> | undefined {
    if (priority === 'low') return undefined
    return this.#low.last ?? (priority === 'high' ? this.#normal.last : undefined)
  }

  /**
   * When each waiter is late: when it has waited for twice its target in a queue that stands longer than that target, in
   * its own list or in one of a higher priority. Lowest priority first, and of each the oldest first; `Infinity` while the
   * queue does not stand. Whoever iterates may remove the current one.
   */
  *lateness(): Generator<[waiter: Waiter<Client>, lateAt: number, standingMs: number], void, undefined> {
    if (this.#limits === undefined) return
    const high = this.#high.delay?.standingMs ?? 0
    const normal = Math.max(high, this.#normal.delay?.standingMs ?? 0)
    const low = Math.max(normal, this.#low.delay?.standingMs ?? 0)
    for (const [list, standingMs] of [
      [this.#low, low],
      [this.#normal, normal],
      [this.#high, high],
    ] as const) {
      if (standingMs === 0) continue
      for (let waiter = list.first; waiter !== undefined;) {
        const next: Waiter<Client> | undefined = waiter.next
        const targetMs = this.targetOf(waiter)
        yield [waiter, standingMs > targetMs ? waiter.joinedAt + LATE * targetMs : Number.POSITIVE_INFINITY, standingMs]
        waiter = next
      }
    }
  }

  /** The delay that a waiter may have in a queue that stands. */
  targetOf({ deadlineAt, joinedAt }: Waiter<Client>): number {
    return this.#limits?.targetMs ?? (deadlineAt - joinedAt) * SHARE_OF_PATIENCE
  }

  *[Symbol.iterator](): Generator<Waiter<Client>, void, undefined> {
    for (const list of [this.#high, this.#normal, this.#low]) {
      // The next one is read first, because whoever iterates may remove the current one.
      for (let waiter = list.first; waiter !== undefined;) {
        const next: Waiter<Client> | undefined = waiter.next
        yield waiter
        waiter = next
      }
    }
  }

  #listOf(priority: Priority): WaitList<Client> {
    if (priority === 'normal') return this.#normal
    return priority === 'high' ? this.#high : this.#low
  }

  #nextList(): WaitList<Client> {
    if (this.#low.passedOver >= AGE_CAP) return this.#low
    if (this.#normal.passedOver >= AGE_CAP) return this.#normal
    if (this.#high.size > 0) return this.#high
    return this.#normal.size > 0 ? this.#normal : this.#low
  }

  /** Counts that a waiter of `served` went before older ones of lower priority. */
  #passOver(sequence: number, served: WaitList<Client>): void {
    if (served === this.#high && this.#normal.first !== undefined && this.#normal.first.sequence < sequence) {
      this.#normal.passedOver += 1
    }
    if (this.#low.first !== undefined && this.#low.first.sequence < sequence) this.#low.passedOver += 1
  }
}
