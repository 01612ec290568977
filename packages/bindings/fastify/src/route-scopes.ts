import {
  checkRouteLeasehold,
  declaredTransactionRule,
  givenLabel,
  InvalidOptionsError,
  type LeaseholdRoute,
  poolForTransactions,
  refuseFaults,
  type ScopeOptions,
} from '@leasehold/core'
import type { FastifyRequest, RouteOptions } from 'fastify'
import type { CheckedOptions } from './check-leasehold-options.js'
import type { RouteLeasehold } from './route-leasehold.js'
import { transactionalHandler } from './transactional-handler.js'

/** What the scopes of one route are opened with, by method; or that it has none. */
type RouteScope = Map<string, ScopeOptions> | 'off'

/** Knows with what the scope of each request is opened. Worked out once for each route and method. */
export class RouteScopes {
  readonly #defaults: CheckedOptions
  /** By the route's config: Fastify makes one object for each route, and shows it to every request of it. */
  readonly #known = new WeakMap<object, RouteScope>()
  /** What those routes say whose handlers run in transactions. */
  readonly #transactional = new WeakSet<RouteLeasehold>()

  constructor(defaults: CheckedOptions) {
    this.#defaults = defaults
  }

  /**
   * Looks at a route when it is declared, so that what is wrong with it is said at once and not by its first request.
   *
   * @throws {InvalidOptionsError} naming all that is wrong with its `config.leasehold`.
   */
  declare(route: RouteOptions): void {
    const name = `The route ${String(route.method)} ${route.url}`
    if ('leasehold' in route) {
      // As an option of the route itself it would be seen only if the plugin were loaded before the route is declared.
      const expected = 'to stand in the `config` of the route'
      refuseFaults(name, [{ option: 'leasehold', received: 'an option of the route', expected }])
    }
    const leasehold = checkRoute(name, route.config?.leasehold)
    if (isTransactional(leasehold)) this.#wrapHandler(name, route, leasehold)
  }

  /** What the scope of this request is opened with; undefined when it gets none. */
  optionsFor(request: FastifyRequest): ScopeOptions | undefined {
    const { config } = request.routeOptions
    let route = this.#known.get(config)
    if (route === undefined) {
      const name = `The route ${String(config.method)} ${config.url}`
      // Not every route was declared after us: what is wrong with it is said here too.
      const leasehold = checkRoute(name, config.leasehold)
      if (isTransactional(leasehold) && !this.#transactional.has(config.leasehold as object)) refuseTooEarly(name)
      route = leasehold.off === true ? 'off' : new Map()
      this.#known.set(config, route)
    }
    if (route === 'off') return undefined
    return route.get(request.method) ?? this.#learn(route, request.method, config.url, config.leasehold ?? {})
  }

  #learn(
    route: Map<string, ScopeOptions>,
    method: string,
    url: string | undefined,
    { label = this.#labelOf({ method, url }), ...own }: RouteLeasehold,
  ): ScopeOptions {
    const { mode, priority, deadlineMs, cancelOnAbort } = this.#defaults
    const options: ScopeOptions = {
      label,
      mode: own.mode ?? mode,
      priority: own.priority ?? priority,
      deadlineMs: own.deadlineMs ?? deadlineMs,
      cancelOnAbort: own.cancelOnAbort ?? cancelOnAbort,
    }
    route.set(method, options)
    return options
  }

  /** Its own handler and no hook: a transaction that hooks begin and end would be open while error handlers run. */
  #wrapHandler(name: string, route: RouteOptions, { transaction, ...leasehold }: RouteLeasehold): void {
    const { pool: poolName, ...options } = transaction === true ? {} : transaction || {}
    const pool = poolForTransactions(
      `${name}, as its config.leasehold.transaction says,`,
      this.#defaults.pools,
      poolName,
    )
    route.handler = transactionalHandler(route.handler, pool, options)
    // An object of its own, by which the requests of this route are known, and no other's.
    const known: RouteLeasehold = { ...leasehold, transaction }
    route.config = { ...route.config, leasehold: known }
    this.#transactional.add(known)
  }

  #labelOf(route: LeaseholdRoute): string {
    // Never the url of the request itself: it is full of values, and there is no end of them.
    const { label } = this.#defaults
    return (label && givenLabel(label, route)) ?? `${route.method} ${route.url ?? '(no route)'}`
  }
}

function checkRoute(name: string, leasehold: unknown): RouteLeasehold {
  const more = { transaction: declaredTransactionRule }
  return checkRouteLeasehold<Pick<RouteLeasehold, 'transaction'>>(
    `${name}, as its config.leasehold says,`,
    leasehold,
    more,
  )
}

function isTransactional({ transaction }: RouteLeasehold): boolean {
  return transaction !== undefined && transaction !== false
}

function refuseTooEarly(name: string): never {
  const received = 'a route that was declared before the plugin was loaded'
  const expected = 'await app.register(leasehold, …) before the route, or none'
  throw new InvalidOptionsError(name, [{ option: 'transaction', received, expected }])
}
