import type { Frame, HeldByFrame } from './frame.js'

/** One run of `use`. */
export class UseFrame implements Frame {
  readonly isTransaction = false
  readonly isOrmsOwn = false
  readonly poolId: number
  readonly pool: string
  readonly outer: Frame | undefined
  readonly holds: HeldByFrame

  constructor(poolId: number, pool: string, outer: Frame | undefined, holds: HeldByFrame) {
    this.poolId = poolId
    this.pool = pool
    this.outer = outer
    this.holds = holds
  }
}
