import type { IncomingMessage } from 'node:http'
import type { BindingOptions, PoolSource } from '@leasehold/core'

type CommonOptions = BindingOptions<IncomingMessage & Express.Request>

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
