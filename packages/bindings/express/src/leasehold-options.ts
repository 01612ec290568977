import type { IncomingMessage } from 'node:http'
import type { PoolMode, PoolSource, Priority, RequestSettings } from '@leasehold/core'

/** A route, as the `label` function is told of it. */
export interface LeaseholdRoute {
  readonly method: string
  /** The pattern, with those of the routers on the way: `/orders/:id`. Undefined while no route has matched. */
  readonly url: string | undefined
}

interface CommonOptions {
  /** Whether `close()` closes the pools, once requests have been answered. Default true. */
  readonly closePool?: boolean | undefined
  /** How long `close()` waits for requests and for leases, before they are taken back. Default 10,000; `Infinity` waits. */
  readonly closeDeadlineMs?: number | undefined
  /** The name of a request's scope, asked anew when a route has matched. Default: `GET /orders/:id`, `GET (no route)`. */
  readonly label?: ((route: LeaseholdRoute) => string) | undefined
  /** How the statements of a request run, where its router does not say. Default: the pool's `mode`. */
  readonly mode?: PoolMode | undefined
  /** Rank of a request's acquires among the waiters, where its router does not say. Default `normal`. */
  readonly priority?: Priority | undefined
  /**
   * What the scopes of requests declare as settings: a function that is asked at the first lease of a request, when it has
   * been authenticated, or one for each of `pools`, by name. A promise is awaited. Default: nothing.
   */
  readonly settings?: RequestSettings<IncomingMessage & Express.Request> | undefined
  /** Milliseconds after which a request's scope grants nothing more, where its router does not say. Default: no limit. */
  readonly deadlineMs?: number | undefined
  /** Whether what runs is cancelled on the server when the client disconnects or the deadline passes. Default: the pool's. */
  readonly cancelOnAbort?: boolean | undefined
}

/** One pool: a core pool, or a facade. */
interface OnePool<Source extends PoolSource> {
  /** The pool: a core pool, or a facade. */
  readonly pool: Source
  readonly pools?: undefined
}

interface SeveralPools<Sources extends Readonly<Record<string, PoolSource>>> {
  readonly pool?: undefined
  /** Several pools, by name. */
  readonly pools: Sources
}

/** The options of `leasehold`, with several pools. */
export type SeveralPoolsOptions<Sources extends Readonly<Record<string, PoolSource>>> = CommonOptions &
  SeveralPools<Sources>

/** The options of `leasehold`, with one pool. */
export type OnePoolOptions<Source extends PoolSource> = CommonOptions & OnePool<Source>

/** The options of `leasehold`. */
export type LeaseholdOptions = OnePoolOptions<PoolSource> | SeveralPoolsOptions<Readonly<Record<string, PoolSource>>>
