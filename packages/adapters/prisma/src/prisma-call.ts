import type { Site } from '@leasehold/core'

/** One call of Prisma on its way to the pool, which it reaches when its caller's own frames are long gone. */
export interface PrismaCall {
  /** The line that made it, where that was captured. */
  readonly site?: Site | undefined
  /** How long Prisma waits for the transaction that it is just opening, in milliseconds: its `maxWait`. */
  readonly maxWait?: number
}
