import { checkRouteLeasehold, refuseFaults, type RouteLeasehold, type ScopeOptions } from '@leasehold/core'
import type { FastifyRequest, RouteOptions } from 'fastify'
import type { CheckedOptions } from './check-leasehold-options.js'
import type { LeaseholdRoute } from './leasehold-options.js'

/** What the scopes of one route are opened with, by method; or that it has none. */
type RouteScope = Map<string, ScopeOptions> | 'off'

/** Knows with what the scope of each request is opened. Worked out once for each route and method. */
export class RouteScopes {
  readonly #defaults: CheckedOptions
  /** By the route's config: Fastify makes one object for each route, and shows it to every request of it. */
  readonly #known = new WeakMap<object, RouteScope>()

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
    checkRoute(name, route.config?.leasehold)
  }

  /** What the scope of this request is opened with; undefined when it gets none. */
  optionsFor(request: FastifyRequest): ScopeOptions | undefined {
    const { config } = request.routeOptions
    let route = this.#known.get(config)
    if (route === undefined) {
      const { method, url } = config
      // Not every route was declared before us: `checkRoute` has its say here too.
      route = checkRoute(`The route ${String(method)} ${url}`, config.leasehold).off === true ? 'off' : new Map()
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

  #labelOf(route: LeaseholdRoute): string {
    // Never the url of the request itself: it is full of values, and there is no end of them.
    return this.#defaults.label?.(route) ?? `${route.method} ${route.url ?? '(no route)'}`
  }
}

function checkRoute(name: string, leasehold: unknown): RouteLeasehold {
  return checkRouteLeasehold(`${name}, as its config.leasehold says,`, leasehold)
}
