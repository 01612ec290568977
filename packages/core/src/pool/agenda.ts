import type { WakeUp } from './wake-up.js'

interface Entry {
  readonly at: number
  readonly callback: () => void
}

/**
 * The bounds of things that go on beside the leases: opening, checking, cleaning and closing connections. There are at
 * most a few per connection, so a set that is looked through at each wake-up is enough.
 */
export class Agenda {
  readonly #entries = new Set<Entry>()
  readonly #wakeUp: WakeUp

  constructor(wakeUp: WakeUp) {
    this.#wakeUp = wakeUp
  }

  /** Calls `callback` once at `at`; returns what takes it back. */
  at(at: number, callback: () => void): () => void {
    if (at === Number.POSITIVE_INFINITY) return () => {}
    const entry = { at, callback }
    this.#entries.add(entry)
    this.#wakeUp.notLaterThan(at)
    return () => {
      this.#entries.delete(entry)
    }
  }

  /** Calls all that is on it, due or not: nobody has any patience left. */
  hurry(): void {
    // Those of this moment: what is put on the agenda meanwhile has a bound of its own.
    const entries = Array.from(this.#entries)
    for (const entry of entries) {
      if (this.#entries.delete(entry)) entry.callback()
    }
  }

  /**
   * Calls what is due at `now`, and was on it before: a callback that puts itself on again for a moment that has passed
   * must not keep the process from everything else. Returns when the next is due.
   */
  run(now: number): number {
    let next = Number.POSITIVE_INFINITY
    let before = this.#entries.size
    for (const entry of this.#entries) {
      before -= 1
      if (before < 0 || entry.at > now) {
        next = Math.min(next, entry.at)
        continue
      }
      this.#entries.delete(entry)
      entry.callback()
    }
    return next
  }
}
