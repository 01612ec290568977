import type { Cancel, Clock } from '@leasehold/core'
import { settled } from './settled.js'

interface WakeUpCall {
  readonly at: number
  readonly callback: () => void
  keepsAlive: boolean
}

/**
 * A clock that stands still until a test moves it. Nothing in it waits for real time, so a test of an hour takes as
 * long as one of a millisecond.
 */
export class FakeClock implements Clock {
  /** In the order in which they were asked for, which decides between two of the same moment. */
  readonly #pending = new Set<WakeUpCall>()
  #now: number
  #asked = 0

  /** Starts at a number that nobody can take for 0, for "never" or for a wall clock. */
  constructor(startAt = 1_000) {
    this.#now = startAt
  }

  now(): number {
    return this.#now
  }

  wake(atMs: number, callback: () => void): Cancel {
    const call: WakeUpCall = { at: atMs, callback, keepsAlive: false }
    this.#asked += 1
    this.#pending.add(call)
    const cancel: Cancel = () => {
      this.#pending.delete(call)
    }
    cancel.keepAlive = (alive) => {
      call.keepsAlive = alive
    }
    return cancel
  }

  /** How many wake-ups are pending: at most one for each pool. */
  get pending(): number {
    return this.#pending.size
  }

  /** How many wake-ups were ever asked for: what re-arming costs. */
  get asked(): number {
    return this.#asked
  }

  /** Whether a pending wake-up keeps the process alive. */
  get keepsAlive(): boolean {
    return [...this.#pending].some((call) => call.keepsAlive)
  }

  /** When the next wake-up is due; `Infinity` when none is pending. */
  get nextAt(): number {
    return Math.min(Infinity, ...[...this.#pending].map((call) => call.at))
  }

  /** Moves the time and calls all that comes due on the way, in order, also what is asked for meanwhile. */
  advance(ms: number): void {
    const until = this.#now + ms
    for (let call = this.#nextUntil(until); call !== undefined; call = this.#nextUntil(until)) this.#ring(call)
    this.#now = until
  }

  /** The same, and lets promises settle before the first step, after each, and at the end. */
  async advanceAsync(ms: number): Promise<void> {
    const until = this.#now + ms
    await settled()
    for (let call = this.#nextUntil(until); call !== undefined; call = this.#nextUntil(until)) {
      this.#ring(call)
      await settled()
    }
    this.#now = until
    await settled()
  }

  #ring(call: WakeUpCall): void {
    this.#pending.delete(call)
    // A wake-up that was asked for in the past comes now: time never runs backwards.
    this.#now = Math.max(this.#now, call.at)
    call.callback()
  }

  #nextUntil(until: number): WakeUpCall | undefined {
    let next: WakeUpCall | undefined
    for (const call of this.#pending) {
      if (call.at <= until && (next === undefined || call.at < next.at)) next = call
    }
    return next
  }
}
