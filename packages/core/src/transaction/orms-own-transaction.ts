import type { Site } from '../ports/owner.js'
import type { Frame } from '../scope/frame.js'

/** One run of an ORM's transaction that nothing joins: what asks the pool for a connection in its callback gets another one. */
export class OrmsOwnTransaction implements Frame {
  readonly isTransaction = true
  readonly holds = undefined
  readonly poolId: number
  readonly pool: string
  readonly outer: Frame | undefined
  /** It is no part of any transaction of ours. */
  readonly whole = undefined
  readonly site: Site | undefined
  /** Whether its callback runs: what is asked for before is for itself. */
  isRunning = false

  constructor(poolId: number, pool: string, outer: Frame | undefined, site: Site | undefined) {
    this.poolId = poolId
    this.pool = pool
    this.outer = outer
    this.site = site
  }
}
