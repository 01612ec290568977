import {
  checkOptions,
  findLeaseholdError,
  InvalidOptionsError,
  type LeaseholdErrorCode,
  nonEmptyText,
  type Pool,
  type PoolSnapshot,
  type RulesFor,
  timeLeft,
} from '@leasehold/core'
import { Inject } from '@nestjs/common'
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus'
import { ServicePools } from './service-pools.js'

/** How a pool is looked at. */
export interface PoolCheckOptions {
  /** The pool's name in `pools`. Default `main`. */
  readonly pool?: string | undefined
  /** How long the check may wait for a connection. Default 1,000. */
  readonly timeoutMs?: number | undefined
}

const RULES = { pool: nonEmptyText, timeoutMs: timeLeft } satisfies RulesFor<PoolCheckOptions>

/** What a check tells besides: nothing that is not a monitor's business. */
export interface PoolHealth {
  readonly [fact: string]: unknown
  readonly state: PoolSnapshot['state']
  readonly lent: number
  readonly idle: number
  readonly waiting: number
  readonly max: number
  /** Why no connection could be had. */
  readonly code?: LeaseholdErrorCode
}

/** Tells Terminus whether a pool can lend: `providers: [LeaseholdHealthIndicator]` in the module of the health check. */
export class LeaseholdHealthIndicator {
  readonly #service: HealthIndicatorService
  readonly #pools: ServicePools

  constructor(service: HealthIndicatorService, pools: ServicePools) {
    this.#service = service
    this.#pools = pools
  }

  /**
   * Borrows a connection, before all callers that wait, and gives it back: up if one could be had in time, which the
   * pool has then opened, checked or seen alive a moment ago.
   *
   * @param key the name under which Terminus reports it.
   * @throws {InvalidOptionsError} when there is no pool of this name, and for options that make no sense.
   */
  async isHealthy<const Key extends string>(
    key: Key,
    options: PoolCheckOptions = {},
  ): Promise<HealthIndicatorResult<Key, 'up' | 'down', PoolHealth>> {
    checkOptions('This health check', options, RULES)
    const { pool: name = 'main', timeoutMs = 1_000 } = options
    const pool = this.#pools.named(name) as Pool<unknown> | undefined
    if (pool === undefined) {
      const expected = `one of ${this.#pools.names.join(', ')}`
      throw new InvalidOptionsError('This health check', [{ option: 'pool', received: `"${name}"`, expected }])
    }
    const check = this.#service.check(key)
    try {
      const lease = await pool.acquire({ timeoutMs, priority: 'high', label: 'health check' })
      lease.release()
      return check.up(health(pool.snapshot()))
    } catch (error) {
      const code = findLeaseholdError(error)?.code
      if (code === undefined) throw error
      return check.down({ ...health(pool.snapshot()), code })
    }
  }
}

Inject(HealthIndicatorService)(LeaseholdHealthIndicator, undefined, 0)
Inject(ServicePools)(LeaseholdHealthIndicator, undefined, 1)

function health({ state, connections, waiting, max }: PoolSnapshot): PoolHealth {
  return { state, lent: connections.lent, idle: connections.idle, waiting: waiting.count, max }
}
