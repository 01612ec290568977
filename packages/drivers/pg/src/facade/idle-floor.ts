import type * as pg from 'pg'
import { sessionOf } from '../session/pg-session.js'

/**
 * pg-pool's idle timeout with its `min`, for compat: connections above `min` are closed when they have lain idle, and
 * those that lie idle when there are only `min` of them stay for good. Core's `min` means another thing.
 */
export class IdleFloor {
  readonly #min: number
  readonly #idleTimeoutMs: number
  readonly #open: () => number
  readonly #timers = new WeakMap<pg.Client, NodeJS.Timeout>()

  /** @param open says how many connections are open. */
  constructor(floor: { readonly min: number; readonly idleTimeoutMs: number }, open: () => number) {
    this.#min = floor.min
    this.#idleTimeoutMs = floor.idleTimeoutMs
    this.#open = open
  }

  /** `client` has been given back. */
  rests(client: pg.Client): void {
    clearTimeout(this.#timers.get(client))
    if (this.#open() <= this.#min) return
    const timer = setTimeout(() => {
      const session = sessionOf(client)
      if (session.isHeld || this.#open() <= this.#min) return
      session.retire(new Error('idle for longer than idleTimeoutMillis'))
    }, this.#idleTimeoutMs)
    this.#timers.set(client, timer.unref())
  }
}
