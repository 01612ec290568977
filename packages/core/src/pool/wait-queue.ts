import type { Priority } from '../options/pool-options.js'
import type { Waiter } from './waiter.js'

/**
 * How many hand-overs in a row may pass an older waiter of a lower priority. The next one is then its turn, so that low
 * priority means later, never never. Vitess uses the same number for its settings pool.
 */
const AGE_CAP = 8

/** The callers of one priority, in order of arrival. */
class WaitList<Client> {
  first: Waiter<Client> | undefined
  last: Waiter<Client> | undefined
  size = 0
  /** Hand-overs that went past its oldest waiter since it was last served. */
  passedOver = 0

  append(waiter: Waiter<Client>): void {
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
  readonly #high = new WaitList<Client>()
  readonly #normal = new WaitList<Client>()
  readonly #low = new WaitList<Client>()
  #size = 0
  #sequence = 0

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

  /** Takes out the waiter whose turn it is. */
  shift(): Waiter<Client> | undefined {
    if (this.#size === 0) return undefined
    const list = this.#nextList()
    const waiter = list.first
    if (waiter === undefined) throw new Error('bug in Leasehold: the wait queue lost count of its waiters')
    if (list !== this.#low) this.#passOver(waiter.sequence, list)
    list.passedOver = 0
    list.remove(waiter)
    this.#size -= 1
    return waiter
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
