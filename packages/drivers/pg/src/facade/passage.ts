import { type AcquireRequest, bindToContext } from '@leasehold/core'
import type * as pg from 'pg'
import { nextTick } from '../session/event-loop.js'

/** What a method of the facade wants of whoever it calls on. */
export interface Asks {
  readonly request: AcquireRequest | undefined
  /** The method itself: the call site is below it. */
  readonly entry: (...args: never[]) => unknown
  /** Whether the client is for a lone statement. */
  readonly isLone: boolean
}

export type ConnectCallback = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  done: (said?: unknown) => void,
) => void

/** Tells one of the two, in the context of who calls it. */
type Lend = (asks: Asks, serve: (client: pg.PoolClient) => void, refuse: (error: unknown) => void) => void

/**
 * The way through pg-pool's own methods. The facade's `query` and `connect` call those that they override, so that whatever
 * tracers and tests have put in their place is passed, as with any pg.Pool; and pg-pool's, which sees neither limit nor idle
 * clients, in the end asks for a new client: that is where a lease comes in.
 */
export class Passage {
  readonly #lend: Lend
  readonly #usual: Asks
  /** On whose behalf a method of pg-pool has just been called. */
  #asks: Asks | undefined
  #looksForRoom = false

  /** @param usual of whom it is not known. */
  constructor(lend: Lend, usual: Asks) {
    this.#lend = lend
    this.#usual = usual
  }

  /** Whether it is on somebody's way. */
  get isTaken(): boolean {
    return this.#asks !== undefined
  }

  /** Calls a method of pg-pool. What that gives back by a promise (a stand-in may) counts as well as its callback. */
  through<T>(asks: Asks, resolve: (value: T | PromiseLike<T>) => void, call: () => unknown): void {
    const outer = this.#asks
    this.#asks = asks
    let returned: unknown
    try {
      returned = call()
    } finally {
      this.#asks = outer
    }
    if (typeof (returned as { then?: unknown } | undefined)?.then !== 'function') return
    const answer = returned as PromiseLike<T>
    answer.then(
      (value) => value !== undefined && resolve(value),
      () => resolve(answer),
    )
  }

  /** pg-pool asks for a new client. */
  end(callback: ConnectCallback): void {
    const asks = this.#asks
    this.#asks = undefined
    if (asks !== undefined) {
      this.#lend(
        asks,
        (client) => callback(undefined, client, client.release as (said?: unknown) => void),
        (error) => callback(error as Error, undefined, () => {}),
      )
      return
    }
    // Somebody stands in front who calls pg-pool's own method later.
    const bound = bindToContext(callback)
    this.#lend(
      this.#usual,
      (client) => nextTick(bound, undefined, client, client.release.bind(client)),
      (error) => nextTick(bound, error, undefined, () => {}),
    )
  }

  /** pg-pool's own `connect` asks for the limit, and looks for idle clients next. */
  looksForRoom(): void {
    this.#looksForRoom = true
  }

  /** Whether it is pg-pool's own `connect` that looks for idle clients. */
  takesNoIdle(): boolean {
    const looks = this.#looksForRoom
    this.#looksForRoom = false
    return looks
  }
}
