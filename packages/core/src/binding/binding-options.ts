import type { PoolMode } from '../ports/driver.js'
import type { Priority } from '../options/pool-options.js'
import type { PoolSource } from './pool-source.js'
import type { RequestSettings } from './request-settings.js'

/** A route, as the `label` function is told of it. */
export interface LeaseholdRoute {
  readonly method: string
  /** The pattern: `/orders/:id`. Undefined when no route has matched (yet). */
  readonly url: string | undefined
}

/** The options that all bindings have, but for their pools. @typeParam Work what a scope is opened for. */
export interface BindingOptions<Work> {
  /** Whether the pools are closed when the service ends, after its requests have been answered. Default true. */
  readonly closePool?: boolean | undefined
  /** How long leases may go on while the pools close, before they are taken back. Default 10,000; `Infinity` waits. */
  readonly closeDeadlineMs?: number | undefined
  /** The name of a route's scopes. Default: `GET /orders/:id`, `GET (no route)`. */
  readonly label?: ((route: LeaseholdRoute) => string) | undefined
  /** How the statements of a request run, where its route does not say. Default: the pool's `mode`. */
  readonly mode?: PoolMode | undefined
  /** Rank of a request's acquires among the waiters, where its route does not say. Default `normal`. */
  readonly priority?: Priority | undefined
  /**
   * What the scopes of requests declare as settings: a function that is asked at the first lease of a request, when it has
   * been authenticated, or one for each of `pools`, by name. A promise is awaited. Default: nothing.
   */
  readonly settings?: RequestSettings<Work> | undefined
  /** Milliseconds after which a request's scope grants nothing more, where its route does not say. Default: no limit. */
  readonly deadlineMs?: number | undefined
  /**
   * Whether what runs is cancelled on the server when the client disconnects or the deadline passes, where its route does
   * not say. Default: the pool's.
   */
  readonly cancelOnAbort?: boolean | undefined
}

/** The pools of a service, all by their names: the only one is called `main`. */
export interface NamedPools {
  readonly pools: Readonly<Record<string, PoolSource>>
}

/** One pool, or several. */
export type OneOrSeveralPools =
  | {
      /** The pool: a core pool, or a facade. */
      readonly pool: PoolSource
      readonly pools?: undefined
    }
  | {
      readonly pool?: undefined
      /** Several pools, by name. */
      readonly pools: Readonly<Record<string, PoolSource>>
    }
