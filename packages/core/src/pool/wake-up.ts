import type { Cancel, Clock } from '../ports/clock.js'

/** A wake-up that comes early by less than this has come. */
const EARLY_MS = 2

/**
 * The one wake-up of a pool, set to the next thing due (ARCHITECTURE.md, promise 9). It is armed anew only when
 * something is due earlier: on the way of a lease that is one comparison.
 */
export class WakeUp {
  readonly #clock: Clock
  readonly #work: (now: number) => number
  readonly #outside: <R>(work: () => R) => R
  #at = Number.POSITIVE_INFINITY
  #cancel: Cancel | undefined
  #waiting = 0
  #stopped = false

  /**
   * @param work does all that is due at `now` and returns when the next thing is, `Infinity` if nothing is.
   * @param outside runs what it is given outside every context: a timer keeps the context it is made in.
   */
  constructor(clock: Clock, outside: <R>(work: () => R) => R, work: (now: number) => number) {
    this.#clock = clock
    this.#outside = outside
    this.#work = work
  }

  /** Something is due at `at`. */
  notLaterThan(at: number): void {
    if (at < this.#at) this.#arm(at)
  }

  /** One more caller waits; while any does, the wake-up keeps the process alive. */
  hold(): void {
    this.#waiting += 1
    if (this.#waiting === 1) this.#cancel?.keepAlive?.(true)
  }

  letGo(): void {
    this.#waiting -= 1
    if (this.#waiting > 0) return
    if (this.#stopped) this.#rest()
    else this.#cancel?.keepAlive?.(false)
  }

  /** The pool has no more to do of itself. Whoever waits for a moment waits for it all the same, and would for ever. */
  stop(): void {
    this.#stopped = true
    if (this.#waiting === 0) this.#rest()
  }

  #rest(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#at = Number.POSITIVE_INFINITY
  }

  #arm(at: number): void {
    if (this.#stopped && this.#waiting === 0) return
    this.#cancel?.()
    this.#at = at
    this.#cancel = this.#outside(() => this.#clock.wake(at, () => this.#ring()))
    if (this.#waiting > 0) this.#cancel.keepAlive?.(true)
  }

  #ring(): void {
    const now = this.#clock.now()
    // Node's timers count from the start of a turn, in whole milliseconds, and so come a little early. What was due is
    // done all the same: to arm anew would put it off by more than that.
    const due = this.#at - now < EARLY_MS ? Math.max(now, this.#at) : now
    this.#cancel = undefined
    this.#at = Number.POSITIVE_INFINITY
    const next = this.#work(due)
    if (next < this.#at) this.#arm(next)
  }
}
