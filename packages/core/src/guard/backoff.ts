export interface BackoffBounds {
  readonly baseMs: number
  readonly capMs: number
}

/**
 * How long to wait before the next attempt: decorrelated jitter as AWS describes it. Each pause is drawn between the base
 * and three times the last one, so that pools which failed together do not come back together.
 */
export class Backoff {
  readonly #bounds: BackoffBounds
  readonly #random: () => number
  #last: number

  constructor(bounds: BackoffBounds, random: () => number = Math.random) {
    this.#bounds = bounds
    this.#random = random
    this.#last = bounds.baseMs
  }

  /** The next pause, in milliseconds. */
  next(): number {
    const { baseMs, capMs } = this.#bounds
    const longest = Math.max(baseMs, 3 * this.#last)
    this.#last = Math.min(capMs, baseMs + this.#random() * (longest - baseMs))
    return this.#last
  }

  /** It went well: the next pause is a first one again. */
  reset(): void {
    this.#last = this.#bounds.baseMs
  }
}
