import type { Duplex } from 'node:stream'
import { builderSites } from './builder-sites.js'
import type { PgDialect, Runner, RunnerClass } from './knex-internals.js'
import { connectionsOf } from './leased-connections.js'

/**
 * Knex's runner, which acquires in the name of whoever made the builder, and whose streams cannot end the process: Knex emits errors on a stream by hand, whether or not somebody
 * listens; that of a request that went away, and whose connection was taken back, is nobody's fault.
 */
export function guardedRunner(base: RunnerClass): RunnerClass {
  return class GuardedRunner extends base implements Runner {
    readonly #client: PgDialect

    constructor(client: PgDialect, builder: unknown) {
      super(client, builder)
      this.#client = client
    }

    override ensureConnection(callback: unknown, parameters?: unknown): Promise<unknown> {
      const site = builderSites.of(this.builder)
      const ensure = (): Promise<unknown> => super.ensureConnection(callback, parameters)
      return site === undefined ? ensure() : connectionsOf(this.#client).calledFrom(site, ensure)
    }

    override stream(...args: unknown[]): Duplex | Promise<unknown> {
      const last = args.at(-1)
      if (typeof last !== 'function') return this.#guard(super.stream(...args) as Duplex)
      const handler = (stream: Duplex): unknown => (last as (stream: Duplex) => unknown)(this.#guard(stream))
      return super.stream(...args.slice(0, -1), handler)
    }

    #guard(stream: Duplex): Duplex {
      stream.on('error', (error: Error) => {
        if (stream.listenerCount('error') > 1) return
        this.#client.logger.error(`A stream that nobody listens to for errors failed: ${error.message}`)
      })
      return stream
    }
  }
}
