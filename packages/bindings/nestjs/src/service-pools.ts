import { type BoundPool, boundPoolsOf } from '@leasehold/core'
import type { CheckedOptions } from './check-leasehold-options.js'

/** What the parts of the module are made of: its options, and its pools once they are ready. */
export class ServicePools {
  readonly options: CheckedOptions
  readonly #byName: ReadonlyMap<string, BoundPool>

  private constructor(options: CheckedOptions) {
    this.options = options
    this.#byName = new Map(
      Object.entries(options.pools).flatMap(([name, source]) =>
        boundPoolsOf([source]).map((pool): [string, BoundPool] => [name, pool]),
      ),
    )
  }

  /**
   * @throws {PoolClosedError} when one of the pools is closed.
   * @throws {ConnectFailedError} when one of them has `warmUp: 'required'` and its database cannot be reached.
   */
  static async ready(options: CheckedOptions): Promise<ServicePools> {
    const pools = new ServicePools(options)
    await Promise.all([...pools.#byName.values()].map((pool) => pool.ready()))
    return pools
  }

  get names(): readonly string[] {
    return [...this.#byName.keys()]
  }

  /** The core pool of this name. */
  named(name: string): BoundPool | undefined {
    return this.#byName.get(name)
  }

  async close(): Promise<void> {
    const { closePool, closeDeadlineMs: deadlineMs } = this.options
    if (closePool === false) return
    await Promise.all([...new Set(this.#byName.values())].map((pool) => pool.close({ deadlineMs })))
  }
}
