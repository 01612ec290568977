import type { PoolMode, PoolSource, Priority, RequestSettings } from '@leasehold/core'
import type { ExecutionContext, FactoryProvider, ModuleMetadata } from '@nestjs/common'

/** A route, as the `label` function is told of it. */
export interface LeaseholdRoute {
  readonly method: string
  /** The pattern: `/orders/:id`. Undefined when no route matched. */
  readonly url: string | undefined
}

/** What a scope is opened for. */
export type LeaseholdWork =
  /** A request, as its platform shows it to handlers. */
  | { readonly type: 'http'; readonly request: object }
  /** A message of a microservice or a websocket. */
  | { readonly type: 'message'; readonly context: ExecutionContext }

interface CommonOptions {
  /** Whether the pools are closed in `onApplicationShutdown`, after the requests have drained. Default true. */
  readonly closePool?: boolean | undefined
  /** How long leases may go on while the pools close, before they are taken back. Default 10,000; `Infinity` waits. */
  readonly closeDeadlineMs?: number | undefined
  /** The name of a route's scopes, asked once for each route and method. Default: `GET /orders/:id`, `GET (no route)`. */
  readonly label?: ((route: LeaseholdRoute) => string) | undefined
  /** How the statements of a request or message run. Default: the pool's `mode`. */
  readonly mode?: PoolMode | undefined
  /** Rank of its acquires among the waiters. Default `normal`. */
  readonly priority?: Priority | undefined
  /**
   * What the scopes of requests and messages declare as settings: a function that is asked at the first lease, when guards
   * have had their say, or one for each of `pools`, by name. A promise is awaited. Default: nothing.
   */
  readonly settings?: RequestSettings<LeaseholdWork> | undefined
  /** Milliseconds after which its scope grants nothing more. Default: no limit. */
  readonly deadlineMs?: number | undefined
  /** Whether what runs is cancelled on the server when the client disconnects or the deadline passes. Default: the pool's. */
  readonly cancelOnAbort?: boolean | undefined
  /** Whether errors that mean "no connection now" are answered 503 with Retry-After. Default true. */
  readonly errors?: boolean | undefined
}

/** The options of the module. */
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

/** How the options are come by, when they take other providers or time. */
export interface LeaseholdAsyncOptions {
  /** The modules that have the providers in `inject`. */
  readonly imports?: ModuleMetadata['imports']
  /** What `useFactory` is called with. */
  readonly inject?: FactoryProvider['inject']
  /** Makes the options. */
  readonly useFactory: (...injected: never[]) => LeaseholdOptions | Promise<LeaseholdOptions>
  /**
   * The names of the pools that the factory gives as `pools`: Nest wants to know what a module provides before anything
   * runs. Default: `['main']`, the name of a single `pool`.
   */
  readonly names?: readonly string[] | undefined
}
