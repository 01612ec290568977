import { Backoff } from './backoff.js'

const RAISE = { baseMs: 1_000, capMs: 30_000 }

/**
 * How many connections the pool may have, which is fewer than its own limit while the server says that it is full. It
 * shrinks to what is there, and grows again by one with each connection opened and with each pause that passes; pauses grow
 * as long as the server goes on saying so.
 */
export class EffectiveLimit {
  readonly #backoff: Backoff
  #ceiling: number
  #limit: number
  #pauseMs = RAISE.baseMs

  constructor(ceiling: number, random?: () => number) {
    this.#ceiling = ceiling
    this.#limit = ceiling
    this.#backoff = new Backoff(RAISE, random)
  }

  get limit(): number {
    return this.#limit
  }

  /** Whether the pool may have fewer than its own limit. */
  get isShrunken(): boolean {
    return this.#limit < this.#ceiling
  }

  /** The pool's own limit has changed. */
  resize(ceiling: number): void {
    this.#limit = this.isShrunken ? Math.min(this.#limit, ceiling) : ceiling
    this.#ceiling = ceiling
  }

  /** The server is full though there are only `open` connections. Returns after how many milliseconds to try one more. */
  saturated(open: number): number {
    // One at least, or a pool that has none could never try again.
    this.#limit = Math.min(this.#limit, Math.max(1, open))
    this.#pauseMs = this.#backoff.next()
    return this.#pauseMs
  }

  /** A connection was opened, and there are `open` now. */
  opened(open: number): void {
    if (!this.isShrunken) return
    this.#backoff.reset()
    this.#raiseTo(Math.max(this.#limit, open) + 1)
  }

  /** The pause has passed. Returns after how many milliseconds to raise it further, or undefined when it is whole. */
  raise(): number | undefined {
    this.#raiseTo(this.#limit + 1)
    return this.isShrunken ? this.#pauseMs : undefined
  }

  #raiseTo(limit: number): void {
    this.#limit = Math.min(this.#ceiling, limit)
  }
}
