import type { DeclaredTransaction, RouteLeasehold as RouteScope } from '@leasehold/core'

/** What one route says about its requests, in its `config.leasehold`. */
export interface RouteLeasehold extends RouteScope {
  /**
   * Runs the handler in a transaction, which every query inside it joins: committed before the answer is sent, rolled back
   * when the handler throws or answers with a status of 400 or above, and when the request is aborted or takes too long.
   * True, or how it is to run and on which of `pools`. Default false.
   */
  readonly transaction?: boolean | DeclaredTransaction | undefined
}
