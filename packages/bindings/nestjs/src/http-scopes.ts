import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  givenLabel,
  InvalidOptionsError,
  openScope,
  RequestLeasehold,
  type Scope,
  type ScopeOptions,
  settingsOptionsOf,
} from '@leasehold/core'
import { Inject } from '@nestjs/common'
import type { LeaseholdWork } from './leasehold-options.js'
import { ServicePools } from './service-pools.js'

/** What is asked of a platform: an `HttpServer` of Nest is one. */
interface Platform {
  getType(): string
  getInstance(): unknown
}

/** Of Fastify, what this file needs; it depends on no platform. */
interface Fastify {
  addHook(
    name: 'onRequest' | 'preValidation',
    hook: (request: FastifyRequest, reply: unknown, done: () => void) => void,
  ): void
}

interface FastifyRequest {
  readonly raw: IncomingMessage
  readonly routeOptions: { readonly url?: string | undefined }
}

/** Express writes the route that it has found on Node's own request. */
interface ExpressRequest {
  readonly route?: { readonly path?: string | RegExp } | undefined
}

/** The scopes of HTTP requests. Both platforms show a middleware Node's own request and response. */
export class HttpScopes {
  readonly #pools: ServicePools
  readonly #own = new WeakMap<IncomingMessage, RequestLeasehold>()
  /** The patterns of requests on Fastify. */
  readonly #patterns = new WeakMap<IncomingMessage, string>()
  /** The requests of Fastify, by those of Node below them; asked for only where settings may want them. */
  readonly #shown = new WeakMap<IncomingMessage, object>()
  /** What `label` said, by method and pattern. */
  readonly #labels = new Map<string, string>()

  constructor(pools: ServicePools) {
    this.#pools = pools
  }

  /** @throws {InvalidOptionsError} for a platform that is neither Express nor Fastify. */
  prepare(platform: Platform): void {
    const type = platform.getType()
    if (type === 'express') return
    if (type !== 'fastify') {
      const expected = 'the platform of Express or of Fastify'
      throw new InvalidOptionsError('LeaseholdModule', [{ option: 'platform', received: `"${type}"`, expected }])
    }
    const fastify = platform.getInstance() as Fastify
    fastify.addHook('onRequest', (request, _reply, done) => {
      const { raw, routeOptions } = request
      if (routeOptions.url !== undefined) this.#patterns.set(raw, routeOptions.url)
      if (this.#pools.options.settings !== undefined) this.#shown.set(raw, request)
      done()
    })
    // A hook that calls back from an event of its own comes back outside the scope.
    fastify.addHook('preValidation', ({ raw }, _reply, done) => {
      const scope = this.#own.get(raw)?.scope
      if (scope === undefined) done()
      else scope.run(done)
    })
  }

  /** The middleware: what comes after it runs in a scope that closes with the response. */
  open(request: IncomingMessage, response: ServerResponse, next: () => void): void {
    const { mode, priority, deadlineMs, cancelOnAbort, settings, pools } = this.#pools.options
    // To Express, what Nest makes of this middleware is a route.
    const { route: ours } = request as ExpressRequest
    // A function, because no middleware knows which route it will be.
    const label = (): string => this.#labelOf(request, ours)
    const declared = settings === undefined ? undefined : settingsOptionsOf(settings, pools, this.#workOf(request))
    const options: ScopeOptions = { label, mode, priority, deadlineMs, cancelOnAbort, ...declared }
    const own = new RequestLeasehold(openScope(options), request, response)
    this.#own.set(request, own)
    own.scope.run(() => next())
  }

  /** The scope of a request, as the platform shows it to handlers. */
  scopeOf(request: unknown): Scope | undefined {
    const { raw } = request as { readonly raw?: IncomingMessage }
    return this.#own.get(raw ?? (request as IncomingMessage))?.scope
  }

  /** Which request the platform shows may be known only later than the middleware runs. */
  #workOf(request: IncomingMessage): LeaseholdWork {
    const shown = (): object => this.#shown.get(request) ?? request
    return {
      type: 'http',
      get request() {
        return shown()
      },
    }
  }

  #labelOf(request: IncomingMessage, ours: ExpressRequest['route']): string {
    const method = request.method ?? 'GET'
    // Never the url of the request itself: it is full of values, and there is no end of them.
    const url = this.#patterns.get(request) ?? patternOf(request as ExpressRequest, ours)
    const usual = `${method} ${url ?? '(no route)'}`
    const { label } = this.#pools.options
    if (label === undefined) return usual
    let known = this.#labels.get(usual)
    if (known === undefined) this.#labels.set(usual, (known = givenLabel(label, { method, url }) ?? usual))
    return known
  }
}

/** Nest puts no routers into one another: the path of a route is the whole pattern. */
function patternOf({ route }: ExpressRequest, ours: ExpressRequest['route']): string | undefined {
  return route === ours || route?.path === undefined ? undefined : String(route.path)
}

Inject(ServicePools)(HttpScopes, undefined, 0)
