import type { Clock } from '../ports/clock.js'
import { WakeUp } from '../pool/wake-up.js'

/** What ends at a deadline. */
export interface Deadlined {
  readonly deadlineAt: number
  expire(): void
}

const watches = new WeakMap<Clock, DeadlineWatch>()

/** One wake-up for all scopes of a clock that have a deadline, as a pool has one for all of its leases. */
export class DeadlineWatch {
  readonly #watched = new Set<Deadlined>()
  readonly #wakeUp: WakeUp

  private constructor(clock: Clock, outside: <R>(work: () => R) => R) {
    this.#wakeUp = new WakeUp(clock, outside, (now) => this.#expire(now))
  }

  static of(clock: Clock, outside: <R>(work: () => R) => R): DeadlineWatch {
    let watch = watches.get(clock)
    if (watch === undefined) {
      watch = new DeadlineWatch(clock, outside)
      watches.set(clock, watch)
    }
    return watch
  }

  add(deadlined: Deadlined): void {
    this.#watched.add(deadlined)
    this.#wakeUp.notLaterThan(deadlined.deadlineAt)
  }

  remove(deadlined: Deadlined): void {
    this.#watched.delete(deadlined)
  }

  #expire(now: number): number {
    let next = Number.POSITIVE_INFINITY
    for (const deadlined of this.#watched) {
      if (deadlined.deadlineAt > now) next = Math.min(next, deadlined.deadlineAt)
      else {
        this.#watched.delete(deadlined)
        deadlined.expire()
      }
    }
    return next
  }
}
