/**
 * How long callers of one priority wait, by CoDel's rule: what counts is the least delay of a whole interval. A burst makes
 * a long queue, and somebody in it is still served soon; in a queue that stands, nobody is.
 *
 * Beyond the published rule, a queue stands only while more callers come than are served: one that is on its way to be
 * empty needs nobody's refusal. An interval ends with the first hand-over after its time, and so never without any.
 */
export class QueueDelay {
  readonly #intervalMs: number
  #endsAt = Number.NEGATIVE_INFINITY
  #least = 0
  #joined = 0
  #served = 0
  #standingMs = 0

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs
  }

  /** The least delay of the last interval if the queue stood in it, else 0. */
  get standingMs(): number {
    return this.#standingMs
  }

  /** Somebody joins. @param isFirst nobody else waits: whatever queue there was is gone. */
  joins(isFirst: boolean): void {
    this.#joined += 1
    if (!isFirst) return
    this.#least = 0
    this.#standingMs = 0
  }

  /** Somebody who waited for `delayMs` is served. Returns whether an interval ended by it in which the queue stood. */
  serves(delayMs: number, now: number): boolean {
    this.#served += 1
    if (now < this.#endsAt) {
      if (delayMs < this.#least) this.#least = delayMs
      return false
    }
    this.#standingMs = this.#joined > this.#served ? this.#least : 0
    this.#endsAt = now + this.#intervalMs
    this.#least = delayMs
    this.#joined = 0
    this.#served = 0
    return this.#standingMs > 0
  }
}
