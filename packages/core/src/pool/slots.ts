import type { StageCounts } from '../connection/connection.js'

/**
 * Counts the sockets of a pool by stage, and knows whether there is room for one more. Everything that has or may have
 * a socket counts, so that lent + recycling + checking + idle + opening + closing never exceeds the limit
 * (ARCHITECTURE.md, promise 1).
 */
export class Slots implements StageCounts {
  opening = 0
  recycling = 0
  checking = 0
  idle = 0
  lent = 0
  closing = 0
  #peak = 0
  #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  /** How many sockets there may be: max + overflow, or fewer while the server says that it is full. */
  get limit(): number {
    return this.#limit
  }

  set limit(limit: number) {
    this.#limit = limit
  }

  get total(): number {
    return this.opening + this.recycling + this.checking + this.idle + this.lent + this.closing
  }

  /** The most that `total` has ever been. */
  get peak(): number {
    return this.#peak
  }

  get hasRoom(): boolean {
    return this.total < this.#limit
  }

  /** Takes a slot for a connection about to be opened. */
  reserve(): void {
    if (!this.hasRoom) throw new Error(`bug in Leasehold: a slot was taken beyond the limit of ${this.#limit}`)
    this.opening += 1
    if (this.total > this.#peak) this.#peak = this.total
  }

  /** The opening ended with a connection, which starts as recycling. */
  opened(): void {
    this.opening -= 1
    this.recycling += 1
  }

  /** The opening was given up, but its socket may still be there. */
  abandoned(): void {
    this.opening -= 1
    this.closing += 1
  }

  /** An opening ended without a connection. */
  failed(): void {
    this.opening -= 1
  }

  /** The socket of an opening that was given up is gone. */
  buried(): void {
    this.closing -= 1
  }
}
