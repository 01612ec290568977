import { once } from 'node:events'
import { createServer, type Server, type ServerOptions } from 'node:http'
import type { AddressInfo } from 'node:net'
import { currentScope, type Pool, type PoolOptions } from '@leasehold/core'
import type { FakeClient } from '@leasehold/testkit'
import { ServiceOnFakes } from '@leasehold/testkit/http'
import type { Express, RequestHandler } from 'express'
import { afterEach } from 'vitest'
import { leasehold, type LeaseholdMiddleware } from '../leasehold.js'
import { leaseholdErrors } from '../leasehold-errors.js'
import type { LeaseholdOptions } from '../leasehold-options.js'
import type { ExpressOf } from './versions.js'

export interface ServiceOptions {
  readonly pool?: PoolOptions
  readonly leasehold?: Partial<LeaseholdOptions>
  readonly server?: ServerOptions
  /** Runs before the middleware is mounted: what is older than it. */
  readonly before?: (app: Express) => unknown
  /** Whether `leaseholdErrors()` stands behind the routes. Default true. */
  readonly errors?: boolean
}

/** A service on one version of Express. */
export class Service extends ServiceOnFakes {
  server!: Server
  leases!: LeaseholdMiddleware<unknown>
  readonly express: ExpressOf

  constructor(express: ExpressOf) {
    super()
    this.express = express
  }

  async start(routes: (app: Express) => unknown, options: ServiceOptions = {}): Promise<void> {
    this.openPool(options.pool)
    const app = this.express()
    app.set('env', 'test')
    await options.before?.(app)
    this.leases = leasehold({ pool: this.pool, ...options.leasehold } as { pool: Pool<FakeClient> })
    app.use(this.leases)
    app.use((_req, _res, next) => {
      const scope = currentScope()
      if (scope !== undefined) this.scopes.push(scope)
      next()
    })
    await routes(app)
    if (options.errors !== false) app.use(leaseholdErrors())
    this.server = createServer(options.server ?? {}, app).listen(0)
    await once(this.server, 'listening')
  }

  override get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  protected override async stopServer(): Promise<void> {
    if (!this.server.listening) return
    this.server.close()
    this.server.closeAllConnections()
    await once(this.server, 'close')
  }
}

/** Gives the `describe` that calls it a service of this Express, stopped after each of its tests. */
export function useService(express: ExpressOf): Service {
  const service = new Service(express)
  afterEach(() => service.stop())
  return service
}

/** A handler that may be async in both versions: what it throws goes to the error handlers. */
export function handle(handler: (...args: Parameters<RequestHandler>) => unknown): RequestHandler {
  return (req, res, next) => {
    Promise.resolve()
      .then(() => handler(req, res, next))
      .then(undefined, next)
  }
}
