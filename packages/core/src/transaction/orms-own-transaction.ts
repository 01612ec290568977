import type { Site } from '../ports/owner.js'
import type { Frame, HeldByFrame } from '../scope/frame.js'

/** One run of an ORM's transaction that nothing joins: what asks the pool for a connection in its callback gets another one. */
export class OrmsOwnTransaction implements Frame {
  readonly isTransaction = true
  readonly isOrmsOwn = true
  readonly poolId: number
  readonly pool: string
  readonly outer: Frame | undefined
  /** It is no part of any transaction of ours. */
  readonly whole = undefined
  readonly site: Site | undefined
  /** Whether its callback runs: what is asked for before is for itself. */
  isRunning = false
  #holds: HeldByFrame | undefined

  constructor(poolId: number, pool: string, outer: Frame | undefined, site: Site | undefined) {
    this.poolId = poolId
    this.pool = pool
    this.outer = outer
    this.site = site
  }

  /** The lease on which the ORM has begun it, once it has one. */
  get holds(): HeldByFrame | undefined {
    return this.#holds
  }

  /** The first lease that is granted while it is being opened is its own. */
  claim(lease: HeldByFrame): void {
    if (!this.isRunning) this.#holds ??= lease
  }
}
