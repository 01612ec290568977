import type { BindingOptions, OneOrSeveralPools } from '@leasehold/core'
import type { ExecutionContext, FactoryProvider, ModuleMetadata } from '@nestjs/common'

/** What a scope is opened for. */
export type LeaseholdWork =
  /** A request, as its platform shows it to handlers. */
  | { readonly type: 'http'; readonly request: object }
  /** A message of a microservice or a websocket. */
  | { readonly type: 'message'; readonly context: ExecutionContext }

/** What the module has besides its pools. */
export interface ModuleOptions extends BindingOptions<LeaseholdWork> {
  /** Whether errors that mean "no connection now" are answered 503 with Retry-After. Default true. */
  readonly errors?: boolean | undefined
}

/** The options of the module. */
export type LeaseholdOptions = ModuleOptions & OneOrSeveralPools

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
