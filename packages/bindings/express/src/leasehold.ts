import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  boundPoolsOf,
  checkRouteLeasehold,
  InvalidOptionsError,
  markOwnFrames,
  type PoolSource,
  type RequestLeasehold,
  type RouteLeasehold,
  settingsOptionsOf,
} from '@leasehold/core'
import { checkLeaseholdOptions } from './check-leasehold-options.js'
import { type ClosableServer, Closing } from './closing.js'
import type { LeaseholdOptions, OnePoolOptions, SeveralPoolsOptions } from './leasehold-options.js'
import { RequestScopes, type ScopeWishes } from './request-scopes.js'

declare global {
  // oxlint-disable-next-line typescript/no-namespace -- it is how Express lets itself be extended
  namespace Express {
    interface Request {
      /** The scope of this request, and a signal that aborts when nobody waits for its answer any more. */
      readonly leasehold: RequestLeasehold
    }
  }
}

/** A middleware of Express, told without Express: its types of version 4 and of 5 both take it. */
export type Middleware = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void

/** What `leasehold()` makes: the middleware, and the end of its pools. */
export interface LeaseholdMiddleware<Pools> extends Middleware {
  /** The pools as they were given, by name; the only one is called `main`. */
  readonly pools: Pools
  /**
   * Ends a service in order: `server`, where it is given, takes no more requests; those under way are answered; then
   * the pools are closed. What takes longer than `closeDeadlineMs` is cut off. A second call joins the first.
   *
   * @returns resolves when the pools are closed.
   */
  close(server?: ClosableServer): Promise<void>
}

markOwnFrames(new Error('where this package lies'))

/**
 * Opens a scope for every request: `app.use(leasehold({ pool }))`.
 *
 * @throws {InvalidOptionsError} naming all that is wrong with `options`.
 * @throws {PoolClosedError} for a pool that is closing or closed.
 */
export function leasehold<Source extends PoolSource>(
  options: OnePoolOptions<Source>,
): LeaseholdMiddleware<{ readonly main: Source }>
export function leasehold<Sources extends Readonly<Record<string, PoolSource>>>(
  options: SeveralPoolsOptions<Sources>,
): LeaseholdMiddleware<Sources>
export function leasehold(options: LeaseholdOptions): LeaseholdMiddleware<Readonly<Record<string, PoolSource>>> {
  const { pools, closePool, closeDeadlineMs, settings, ...common } = checkLeaseholdOptions(options)
  const declares: ScopeWishes['declares'] =
    settings && ((request) => settingsOptionsOf(settings, pools, request as IncomingMessage & Express.Request))
  const defaults: ScopeWishes = { ...common, declares }
  const closing = new Closing(boundPoolsOf(Object.values(pools)), { closePool, closeDeadlineMs })
  const wishes = Object.values(defaults).some((value) => value !== undefined)

  const middleware: Middleware = (request, response, next) => {
    const before = RequestScopes.of(request)
    const own = before ?? new RequestScopes(request, response, defaults)
    const isNew = own.join(closing, response)
    if (isNew) own.knows(pools)
    // Met by another one, as in a router or an app below: its wishes are for what lies there.
    if (isNew && before !== undefined && wishes) own.change(defaults)
    // Met again, the scope is entered again: what ran in between may have called back from outside.
    own.enter(next)
  }
  return Object.assign(middleware, { pools, close: (server?: ClosableServer) => closing.close(server) })
}

/**
 * What one router or route wants: `router.use(leasehold.route({ mode: 'session' }))`. From there on the request has a
 * scope of its own kind, or with `off` none.
 *
 * @throws {InvalidOptionsError} naming all that is wrong with `options`.
 */
leasehold.route = (options: RouteLeasehold): Middleware => {
  const route = checkRouteLeasehold('leasehold.route', options)
  return (request, _response, next) => {
    const own = RequestScopes.of(request)
    if (own === undefined) {
      next(noScopeYet())
      return
    }
    own.change(route)
    own.enter(next)
  }
}

function noScopeYet(): InvalidOptionsError {
  const received = 'a request without a scope'
  const expected = 'app.use(leasehold({ pool })) before it'
  return new InvalidOptionsError('leasehold.route', [{ option: 'request', received, expected }])
}
