import type { Frame, HeldByFrame } from './frame.js'

/** One run of `use`. */
export class UseFrame implements Frame {
  readonly isTransaction = false
  readonly poolId: number
  readonly outer: Frame | undefined
  readonly holds: HeldByFrame

  constructor(poolId: number, outer: Frame | undefined, holds: HeldByFrame) {
    this.poolId = poolId
    this.outer = outer
    this.holds = holds
  }
}
