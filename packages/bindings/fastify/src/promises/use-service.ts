import type { AddressInfo } from 'node:net'
import { currentScope, type PoolOptions } from '@leasehold/core'
import { ServiceOnFakes } from '@leasehold/testkit/http'
import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { afterEach } from 'vitest'
import { leasehold } from '../leasehold.js'
import type { LeaseholdOptions } from '../leasehold-options.js'

export interface ServiceOptions {
  readonly pool?: PoolOptions
  readonly plugin?: Partial<LeaseholdOptions>
  readonly server?: FastifyServerOptions
  /** Runs before the plugin is registered: what is older than it. */
  readonly before?: (app: FastifyInstance) => unknown
}

/** A service on Fastify. */
export class Service extends ServiceOnFakes {
  app!: FastifyInstance

  async start(routes: (app: FastifyInstance) => unknown, options: ServiceOptions = {}): Promise<void> {
    this.openPool(options.pool)
    this.app = fastify({ forceCloseConnections: true, ...options.server })
    await options.before?.(this.app)
    await this.app.register(leasehold, { pool: this.pool, ...options.plugin } as LeaseholdOptions)
    this.app.addHook('onRequest', async () => {
      const scope = currentScope()
      if (scope !== undefined) this.scopes.push(scope)
    })
    await routes(this.app)
    await this.app.listen({ port: 0 })
  }

  override get port(): number {
    return (this.app.server.address() as AddressInfo).port
  }

  protected override async stopServer(): Promise<void> {
    await this.app.close()
  }
}

/** Gives the test file that calls it at its top a service, stopped after each of its tests. */
export function useService(): Service {
  const service = new Service()
  afterEach(() => service.stop())
  return service
}
