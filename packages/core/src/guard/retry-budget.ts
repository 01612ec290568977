/** What one opened connection pays in. Finagle's share: one retry for five that went well. */
const PER_OPENED = 0.2
/** Retries a second that are always allowed, or nobody would ever find out that all is well again. Finagle's too. */
const PER_SECOND = 10
/** What may be saved up. */
const MOST = 20

/**
 * The net under the backoff: how many attempts may follow upon failed ones, whatever the backoff is set to, and also where
 * it does not apply, as for a hook that fails.
 */
export class RetryBudget {
  #saved = MOST
  #countedAt = Number.NEGATIVE_INFINITY

  /** When the next retry may begin: `now`, or later. */
  from(now: number): number {
    this.#count(now)
    return this.#saved >= 1 ? now : now + ((1 - this.#saved) / PER_SECOND) * 1_000
  }

  /** A retry begins. */
  spend(now: number): void {
    this.#count(now)
    this.#saved -= 1
  }

  /** A connection was opened. */
  opened(): void {
    this.#saved = Math.min(MOST, this.#saved + PER_OPENED)
  }

  #count(now: number): void {
    if (now <= this.#countedAt) return
    this.#saved = Math.min(MOST, this.#saved + ((now - this.#countedAt) / 1_000) * PER_SECOND)
    this.#countedAt = now
  }
}
