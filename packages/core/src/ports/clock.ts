/** Takes back a wake-up that has not come yet. Calling it late or twice does nothing. */
export interface Cancel {
  (): void
  /**
   * Whether the pending wake-up keeps the process alive. A clock whose timers never do may leave it out.
   * A pool asks for it exactly while somebody waits (ARCHITECTURE.md, promise 9).
   */
  keepAlive?(alive: boolean): void
}

/** The source of all time in Leasehold, so that every rule about time can be tested without sleeping. */
export interface Clock {
  /** Milliseconds on a monotonic scale; the origin is the clock's own. */
  now(): number
  /**
   * Calls `callback` once, at `atMs` on this clock's scale. It may come a little early (timers round, and have a
   * longest delay): who is called must look at `now()` and ask again. Where the process stood still, it should come
   * after what lies in the sockets, which was there in time. Until told otherwise by `keepAlive`, a pending wake-up does
   * not keep the process alive.
   */
  wake(atMs: number, callback: () => void): Cancel
}
