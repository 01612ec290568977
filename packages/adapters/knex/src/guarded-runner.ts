import type { Duplex } from 'node:stream'
import type { PgDialect, Runner, RunnerClass } from './knex-internals.js'

/**
 * Knex's runner, whose streams cannot end the process. Knex emits errors on a stream by hand, whether or not somebody
 * listens; that of a request that went away, and whose connection was taken back, is nobody's fault.
 */
export function guardedRunner(base: RunnerClass): RunnerClass {
  return class GuardedRunner extends base implements Runner {
    readonly #logger: PgDialect['logger']

    constructor(client: PgDialect, builder: unknown) {
      super(client, builder)
      this.#logger = client.logger
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
        this.#logger.error(`A stream that nobody listens to for errors failed: ${error.message}`)
      })
      return stream
    }
  }
}
