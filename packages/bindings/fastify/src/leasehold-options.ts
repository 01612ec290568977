import type { PoolMode, PoolSource, Priority, RequestSettings } from '@leasehold/core'
import type { FastifyRequest } from 'fastify'

/** A route, as the `label` function is told of it. */
export interface LeaseholdRoute {
  readonly method: string
  /** The pattern: `/orders/:id`. Undefined when no route matched. */
  readonly url: string | undefined
}

interface CommonOptions {
  /** Whether the pools are closed when the server closes, after its requests have drained. Default true. */
  readonly closePool?: boolean | undefined
  /** How long leases may go on while the pools close, before they are taken back. Default 10,000; `Infinity` waits. */
  readonly closeDeadlineMs?: number | undefined
  /** The name of a route's scopes, asked once for each route and method. Default: `GET /orders/:id`, `GET (no route)`. */
  readonly label?: ((route: LeaseholdRoute) => string) | undefined
  /** How the statements of a request run, where its route does not say. Default: the pool's `mode`. */
  readonly mode?: PoolMode | undefined
  /** Rank of a request's acquires among the waiters, where its route does not say. Default `normal`. */
  readonly priority?: Priority | undefined
  /**
   * What the scopes of requests declare as settings: a function that is asked at the first lease of a request, when it has
   * been authenticated, or one for each of `pools`, by name. A promise is awaited. Default: nothing.
   */
  readonly settings?: RequestSettings<FastifyRequest> | undefined
  /** Milliseconds after which a request's scope grants nothing more, where its route does not say. Default: no limit. */
  readonly deadlineMs?: number | undefined
  /** Whether what runs is cancelled on the server when the client disconnects or the deadline passes, where its route does not say. Default: the pool's. */
  readonly cancelOnAbort?: boolean | undefined
  /** Whether errors that mean "no connection now" are answered 503 with Retry-After. Default true. */
  readonly errors?: boolean | undefined
}

/** The options of the plugin. */
export type LeaseholdOptions = CommonOptions &
  (
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
  )
