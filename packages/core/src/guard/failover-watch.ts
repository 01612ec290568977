/** Two farewells within this time are the server's; a single one is somebody who has ended a single session. */
const TOGETHER_MS = 1_000
/** No sooner than this after the last time are all connections replaced again, */
const FIRST_PAUSE_MS = 5_000
/** and no sooner than this, if replacing them goes on not helping. */
const LONGEST_PAUSE_MS = 60_000

/**
 * Decides when every connection must be replaced because the server behind them is not what it was: it shuts down, or it
 * takes no writes any more. A pool that stands before a read-only server on purpose is not churned by who writes there by
 * mistake: the pause between two replacements doubles, until there has been peace for twice as long.
 */
export class FailoverWatch {
  #lastFarewellAt = Number.NEGATIVE_INFINITY
  #replacedAt = Number.NEGATIVE_INFINITY
  #pauseMs = FIRST_PAUSE_MS

  /** A session ended because the server shuts down. Returns whether all must be replaced. */
  farewell(now: number): boolean {
    const isSecond = now - this.#lastFarewellAt <= TOGETHER_MS
    this.#lastFarewellAt = now
    return isSecond && this.#mayReplace(now)
  }

  /** A session turned out to be one of a server that takes no writes. Returns whether all must be replaced. */
  takesNoWrites(now: number): boolean {
    return this.#mayReplace(now)
  }

  #mayReplace(now: number): boolean {
    const since = now - this.#replacedAt
    if (since < this.#pauseMs) return false
    this.#pauseMs = since < 2 * this.#pauseMs ? Math.min(LONGEST_PAUSE_MS, 2 * this.#pauseMs) : FIRST_PAUSE_MS
    this.#replacedAt = now
    return true
  }
}
