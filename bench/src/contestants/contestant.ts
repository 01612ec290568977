/** A pool that is open, as the workloads see it: every one by the same two calls, and every one awaited. */
export interface OpenPool<Held = unknown> {
  acquire(): Promise<Held>
  release(held: Held): void
  close(): Promise<void>
}

export interface Contestant {
  /** The package's name, and what is special about this row. */
  readonly name: string
  open(): OpenPool
}

/** What all of them are set to, those that know the feature: a bound on waiting and one on lying idle. */
export const EQUAL_TERMS = { max: 10, acquireTimeoutMs: 5_000, idleTimeoutMs: 10_000 } as const
