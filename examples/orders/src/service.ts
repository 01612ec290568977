import type { LeasedPgPool } from '@leasehold/pg'
import type { Store } from './store.js'

export interface ServiceOptions {
  readonly pool: LeasedPgPool
  /** It stands on `pool`. */
  readonly store: Store
  /** Default `127.0.0.1`. */
  readonly host?: string
  /** Default 0: any that is free. */
  readonly port?: number
  /** Whether requests and errors are logged. Default false. */
  readonly log?: boolean
  /** Whether the routes of mistakes.ts exist. Default false. */
  readonly withMistakes?: boolean
  /** Whether the pool is closed together with the service. Default true; several services may share one. */
  readonly closePool?: boolean
  /** Stands before the names of the scopes, to tell services apart that share a pool. Default: nothing. */
  readonly labelPrefix?: string
}

/** A service that listens. */
export interface Service {
  /** `http://127.0.0.1:3000` */
  readonly url: string
  /** Lets requests that are under way finish, and closes the pool. */
  close(): Promise<void>
}

export type StartService = (options: ServiceOptions) => Promise<Service>
